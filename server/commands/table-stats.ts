// The text of DEBUG HTSTATS and HTSTATS-KEY: how full a hash table is and how long its chains are.

import type { Database } from '../keyspace/database.ts';
import { isInline } from '../keyspace/layout.ts';
import type { ChainedTable } from '../memory/chained-table.ts';
import { HashTable } from '../values/hash.ts';
import { MemberTable } from '../values/set-table.ts';

/** Chains from this length on are counted together. */
const CHAIN_LENGTH_MAX = 50;

/** The hash table behind an entry's value, or null when it has none. */
export function tableOf(db: Database, entry: number): ChainedTable | null {
  if (isInline(db.encoding(entry))) return null;
  const value = db.large(entry);
  if (value instanceof MemberTable) return value.dict;
  return value instanceof HashTable ? value.table : null;
}

export function tableStats(table: ChainedTable): string {
  if (table.size === 0) return 'Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n';
  const lengths = table.chainLengths(CHAIN_LENGTH_MAX);
  const buckets = lengths.reduce((sum, count) => sum + count, 0);
  const used = buckets - lengths[0];
  const elements = lengths.reduce((sum, count, length) => sum + count * length, 0);
  const lines = [
    'Hash table 0 stats (main hash table):',
    ` table size: ${buckets}`,
    ` number of elements: ${elements}`,
    ` different slots: ${used}`,
    ` max chain length: ${lengths.findLastIndex((count) => count > 0)}`,
    ` avg chain length (counted): ${(used === 0 ? 0 : elements / used).toFixed(2)}`,
    ` avg chain length (computed): ${(used === 0 ? 0 : elements / used).toFixed(2)}`,
    ' Chain length distribution:',
    ...lengths.flatMap((count, length) =>
      count === 0 ? [] : [`   ${length}: ${count} (${((count / buckets) * 100).toFixed(2)}%)`],
    ),
  ];
  if (table.resizing) {
    lines.push(
      'Hash table 1 stats (rehashing target):',
      ` table size: ${table.buckets - buckets}`,
      ` number of elements: ${table.size - elements}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
