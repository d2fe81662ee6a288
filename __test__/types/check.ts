// The assertions of these files about types. Nothing here runs: the compiler is the test.

/** `true` for one and the same type, not merely for one that can be assigned to the other. */
export type Equal<Actual, Expected> =
  (<T>() => T extends Actual ? 1 : 2) extends <T>() => T extends Expected ? 1 : 2 ? true : false

/** `check<Equal<typeof value, number>>()` */
export declare function check<_ extends true>(): void

/** A value of any type, out of nowhere. */
export declare function any<T>(): T

export interface Judgment {
  id: string
  score: number
}

check<Equal<string, string>>()
// @ts-expect-error: `any` is assignable to everything, but equal only to itself
check<Equal<ReturnType<typeof JSON.parse>, string>>()
// @ts-expect-error: a narrower type is not the same
check<Equal<'a', string>>()
