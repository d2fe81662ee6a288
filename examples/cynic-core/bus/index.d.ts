// @cynic/core/bus: the class that the buses of the application are built on.

export { createParallelEventBus, ParallelEventBus } from '@cynic/parallel-event-bus'
