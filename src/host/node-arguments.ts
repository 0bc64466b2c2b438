// What Node itself is told before it starts the server: what only its command line can say. Units, the program file's
// first line and the measurements all take it from here.

/**
 * One thread for V8's own work (compiling, collecting), not four: a server that has just begun something new compiles for
 * a second, and four threads of it leave no core to those that wait for replies.
 */
export const SERVER_NODE_ARGUMENTS: readonly string[] = ['--v8-pool-size=1'];
