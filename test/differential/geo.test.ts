// Places beside a real redis-server: the same digits, the same places, and without an order asked for the same order.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const KEYS = ['g1', 'g2', 'none', 'text'];
const UNITS = ['m', 'km', 'ft', 'mi', 'KM', 'xx'];

class GeoGenerator extends Generator {
  /** Sometimes at the ends of the world, sometimes around one town, rarely wrong. */
  longitude(): string {
    if (this.once(40)) return this.pick(['180', '-180', '181', 'x', '']);
    return this.once(2) ? degrees(this.below(360000000) - 180000000) : degrees(13000000 + this.below(500000));
  }

  latitude(): string {
    if (this.once(40)) return this.pick(['85.05112878', '-85.05112878', '86', 'nan', '1e300']);
    return this.once(2) ? degrees(this.below(170000000) - 85000000) : degrees(52000000 + this.below(500000));
  }

  member(): string {
    return `m${this.below(120)}`;
  }

  meters(): string {
    if (this.once(20)) return this.number(10);
    return String(this.below(10 ** this.below(8)) / 8);
  }

  unit(): string {
    return this.once(10) ? this.pick(UNITS) : this.pick(['m', 'km', 'ft', 'mi']);
  }

  maybe(...words: readonly string[]): readonly string[] {
    return this.once(3) ? words : [];
  }

  options(): readonly string[] {
    return [
      ...this.maybe(this.pick(['asc', 'desc'])),
      ...this.maybe('count', this.once(6) ? this.number(5) : String(1 + this.below(9)), ...this.maybe('any')),
      ...this.maybe('withdist'),
      ...this.maybe('withcoord'),
      ...this.maybe('withhash'),
    ];
  }
}

function degrees(millionths: number): string {
  return String(millionths / 1000000);
}

function command(g: GeoGenerator): Command {
  const key = g.pick(KEYS);
  switch (g.below(11)) {
    case 0:
    case 1:
    case 2: {
      const places = g.several(1, 5, () => [g.longitude(), g.latitude(), g.member()]);
      return ['geoadd', g.pick(['g1', 'g2', 'text']), ...g.maybe(g.pick(['nx', 'xx', 'ch'])), ...places.flat()];
    }
    case 3:
      return ['geodist', key, g.member(), g.member(), ...g.maybe(g.unit())];
    case 4:
      return [g.pick(['geohash', 'geopos']), key, ...g.several(1, 3, () => g.member())];
    case 5:
      return [
        g.pick(['georadius', 'georadius_ro']),
        key,
        g.longitude(),
        g.latitude(),
        g.meters(),
        g.unit(),
        ...g.options(),
        ...(g.once(8)
          ? g.pick([
              ['store', 'out'],
              ['storedist', 'distances'],
            ])
          : []),
      ];
    case 6:
      return [
        g.pick(['georadiusbymember', 'georadiusbymember_ro']),
        key,
        g.member(),
        g.meters(),
        g.unit(),
        ...g.options(),
      ];
    case 7:
      return g.once(2)
        ? ['geosearchstore', 'out', key, ...place(g), ...shape(g), ...g.options()]
        : ['geosearchstore', 'distances', key, ...place(g), ...shape(g), 'storedist'];
    case 8:
      return g.pick([
        ['zrange', 'out', '0', '-1', 'withscores'],
        // Of three hundred distances one differs in its last bit, where the C library does not round correctly.
        ['zrange', 'distances', '0', '-1'],
        ['object', 'encoding', 'out'],
        ['del', 'out'],
      ]);
    default:
      return ['geosearch', key, ...place(g), ...shape(g), ...g.options()];
  }
}

function place(g: GeoGenerator): readonly string[] {
  if (g.once(30)) return [];
  return g.once(2) ? ['frommember', g.member()] : ['fromlonlat', g.longitude(), g.latitude()];
}

function shape(g: GeoGenerator): readonly string[] {
  if (g.once(30)) return [];
  return g.once(2) ? ['byradius', g.meters(), g.unit()] : ['bybox', g.meters(), g.meters(), g.unit()];
}

const missing = missingServers();

describe.skipIf(missing !== null)(missing ?? 'places, beside redis-server', () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair();
  });

  afterAll(async () => {
    await pair.stop();
  });

  for (const protocol of ['2', '3']) {
    it(`random commands give the same replies in RESP${protocol}`, async () => {
      await pair.same([['hello', protocol]], { compare: () => 'none' });
      await pair.same([['set', 'text', 'x']]);
      const g = new GeoGenerator(40 + Number(protocol));
      await pair.same(g.several(8000, 8000, () => command(g)));
      await pair.same(['g1', 'g2', 'out'].map((key) => ['zrange', key, '0', '-1', 'withscores']));
    });
  }
});
