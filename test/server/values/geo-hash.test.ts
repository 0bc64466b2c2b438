import { describe, expect, it } from 'vitest';
import { rangesOf } from '../../../server/values/geo-area.ts';
import { exactDistanceMeters } from '../../../server/values/geo-exact.ts';
import { decodePlace, distanceMeters, encodePlace, geohashText } from '../../../server/values/geo-hash.ts';

describe('places', () => {
  it('have the scores and the geohash that Redis documents', () => {
    const score = encodePlace(13.361389, 38.115556);
    expect(score).toBe(3479099956230698);
    const point = { longitude: 0, latitude: 0 };
    decodePlace(score, point);
    expect([point.longitude.toFixed(17), point.latitude.toFixed(17)]).toEqual([
      '13.36138933897018433',
      '38.11555639549629859',
    ]);
    expect(geohashText(point)).toBe('sqc8b49rny0');
  });

  it('survive encoding to within a metre, at the ends of the world, too', () => {
    const point = { longitude: 0, latitude: 0 };
    for (const [longitude, latitude] of [
      [0, 0],
      [180, 85.05112878],
      [-180, -85.05112878],
      [179.999999, -0.000001],
      [-73.985428, 40.748817],
    ] as const) {
      decodePlace(encodePlace(longitude, latitude), point);
      expect(distanceMeters(longitude, latitude, point.longitude, point.latitude)).toBeLessThan(1);
    }
  });
});

describe('exact distances', () => {
  it('have the digits that Redis stores', () => {
    const stored = [
      [13.361389, 38.115556, 190.44242984775784],
      [15.087269, 37.502669, 56.441257870158204],
    ] as const;
    const point = { longitude: 0, latitude: 0 };
    for (const [longitude, latitude, kilometers] of stored) {
      decodePlace(encodePlace(longitude, latitude), point);
      expect(exactDistanceMeters(15, 37, point.longitude, point.latitude) / 1000).toBe(kilometers);
    }
  });

  it('agree with the quick ones to many digits', () => {
    for (const [a, b, c, d] of [
      [0, 0, 180, 0],
      [0, 0, 0, 45],
      [-179.9, -85, 179.9, 85],
      [13.36, 38.11, 13.36, 38.110001],
      [10, 20, 10, 20],
    ] as const) {
      expect(exactDistanceMeters(a, b, c, d)).toBeCloseTo(distanceMeters(a, b, c, d), 5);
    }
  });
});

describe('areas', () => {
  it('are covered by the cells that are searched', () => {
    let state = 7;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 4294967296;
    };
    for (let round = 0; round < 300; round++) {
      const longitude = random() * 340 - 170;
      const latitude = random() * 160 - 80;
      const radius = 10 ** (1 + random() * 5);
      const ranges = rangesOf({ longitude, latitude, radius, width: 0, height: 0 });
      for (let i = 0; i < 50; i++) {
        const otherLongitude = longitude + (random() - 0.5) * 4;
        const otherLatitude = Math.min(85, Math.max(-85, latitude + (random() - 0.5) * 4));
        if (Math.abs(otherLongitude) > 180) continue;
        const score = encodePlace(otherLongitude, otherLatitude);
        const inside = distanceMeters(longitude, latitude, otherLongitude, otherLatitude) <= radius;
        if (inside) expect(ranges.some(({ min, max }) => score >= min && score < max)).toBe(true);
      }
    }
  });
});
