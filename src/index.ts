// The library: reading and writing the formats, and a client, for programs of your own.

export { AofError } from '../server/formats/aof/errors.ts';
export { type AofManifest, formatManifest, parseManifest } from '../server/formats/aof/manifest.ts';
export { AofReader, type AofReaderOptions } from '../server/formats/aof/reader.ts';
export { RdbError } from '../server/formats/rdb/errors.ts';
export { RdbReader, type RdbReaderOptions } from '../server/formats/rdb/reader.ts';
export { Slice } from '../server/formats/rdb/slice.ts';
export { type RdbVisitor, SilentVisitor } from '../server/formats/rdb/visitor.ts';
export { RdbWriter, type RdbWriterOptions } from '../server/formats/rdb/writer.ts';
export { encodeCommand } from '../server/formats/resp/encode-command.ts';
export { type Reply, ReplyParser } from '../server/formats/resp/reply.ts';
export { Client, ClientConnectionError, type ClientOptions, type ClientTarget } from '../server/net/client.ts';
