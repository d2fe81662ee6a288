// The types called `node` in this project: the oldest of Node that the package can be used with.

/// <reference path="../../../../../node_modules/types-node-oldest/index.d.ts" />
