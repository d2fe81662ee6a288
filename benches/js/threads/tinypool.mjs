// The module of a pool of tinypool's.

import Tinypool from 'tinypool'
import { tasksOf } from './tasks.js'

export const { count, burn } = tasksOf(Tinypool.workerData)
