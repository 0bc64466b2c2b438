// MEMORY: what the data takes, counted in the arena.

import type { MemoryService } from '../commands/services.ts';
import type { Database } from '../keyspace/database.ts';
import { isInline } from '../keyspace/layout.ts';
import type { Server } from './server.ts';

export class MemoryReport implements MemoryService {
  private readonly server: Server;

  constructor(server: Server) {
    this.server = server;
  }

  usage(db: Database, entry: number): number {
    const own = db.entryBytes(entry);
    return isInline(db.encoding(entry)) ? own : own + db.large(entry).memoryBytes();
  }

  stats(): [string, number][] {
    const { server } = this;
    const { arena } = server.keyspace;
    const used = server.usedMemory();
    const { rss } = process.memoryUsage();
    const keys = server.keyspace.size;
    const dataset = server.keyspace.usedBytes;
    return [
      ['peak.allocated', Math.max(used, server.stats.peakUsedBytes)],
      ['total.allocated', used],
      ['startup.allocated', server.baseMemory],
      ['replication.backlog', Math.max(0, server.replication.memoryBytes - server.replication.uncountedBytes)],
      ['clients.slaves', server.replication.uncountedBytes],
      ['clients.normal', server.clientMemory()],
      ['cluster.links', 0],
      ['aof.buffer', 0],
      ['lua.caches', 0],
      ['functions.caches', 0],
      ['overhead.total', server.baseMemory + server.clientMemory() + dataset - arena.usedBytes],
      ['keys.count', keys],
      ['keys.bytes-per-key', keys === 0 ? 0 : Math.floor(dataset / keys)],
      ['dataset.bytes', dataset],
      ['dataset.percentage', used === 0 ? 0 : (dataset / used) * 100],
      ['peak.percentage', (used / Math.max(used, server.stats.peakUsedBytes, 1)) * 100],
      ['allocator.allocated', arena.usedBytes],
      ['allocator.active', arena.segmentBytes],
      ['allocator.resident', arena.segmentBytes],
      ['allocator-fragmentation.ratio', arena.segmentBytes / Math.max(1, arena.usedBytes)],
      ['allocator-fragmentation.bytes', arena.segmentBytes - arena.usedBytes],
      ['allocator-rss.ratio', 1],
      ['allocator-rss.bytes', 0],
      ['rss-overhead.ratio', rss / Math.max(1, arena.segmentBytes)],
      ['rss-overhead.bytes', rss - arena.segmentBytes],
      ['fragmentation', rss / Math.max(1, used)],
      ['fragmentation.bytes', rss - used],
    ];
  }

  allocator(): string {
    const { arena } = this.server.keyspace;
    return [
      '___ Begin arena statistics ___',
      `segments: ${arena.bytes.length}, ${arena.segmentBytes} bytes`,
      `blocks in use: ${arena.usedBytes} bytes`,
      `free blocks: ${arena.freeBytes()} bytes`,
      '--- End arena statistics ---',
      '',
    ].join('\n');
  }

  purge(): void {
    // Node's own collector is only there with --expose-gc.
    (globalThis as { gc?: () => void }).gc?.();
  }
}
