// Dumps with one value each of the types that came after Redis 7.4 and Valkey 9.1, byte for byte, with what a reader tells
// of them. Where the layouts are documented:
//   26, 27, 28, opcode 243   src/rdb.c and src/keymeta.c of Redis 8.6 and 8.8; 27 and 28 also by a real dump of Redis
//                            8.9.241, test/fixtures/rdb/rediscope/native-types.rdb
//   29-32, opcode 242        the hash template tests of Redis 8.10, whose payloads these are, and librdb's reader
//   23, 242 of Valkey 81     src/rdb.c and src/forkless.c of Valkey 9.2

type Part = string | Buffer;

export type Sample = {
  name: string;
  magic: string;
  /** What stands between the header and the end. */
  body: Buffer;
  events: string[];
};

/** Bytes: hex with blanks, 'text' in quotes. */
function bytes(...parts: Part[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      if (typeof part !== 'string') return [part];
      const pieces = part.match(/'[^']*'|[0-9a-f]{2}/g) ?? [];
      return pieces.map((piece) => (piece[0] === "'" ? Buffer.from(piece.slice(1, -1)) : Buffer.from(piece, 'hex')));
    }),
  );
}

/** A whole file; the checksum is off. */
export function fileOf(sample: Sample): Buffer {
  return bytes(Buffer.from(sample.magic), sample.body, 'ff 00 00 00 00 00 00 00 00');
}

const ID_MS = '00 00 01 9f fe d2 c0 24';
const MS = Number.parseInt(ID_MS.replaceAll(' ', ''), 16);
const idOf = (sequence: number) => `${ID_MS} 00 00 00 00 00 00 00 0${sequence}`;
const hexOf = (sequence: number) => `x${idOf(sequence).replaceAll(' ', '')}`;

/** One node of one entry, as Redis wrote it. */
const NODE = bytes(
  `10 ${idOf(0)} 2c 2c 00 00 00 0a 00 01 01 00 01 01 01 85 'field' 06 00 01 02 01 00 01 00 01`,
  "8c 'stream-value' 0d 04 01 ff",
);
const STREAM_HEAD = bytes('01', NODE, `01 81 ${ID_MS} 00 81 ${ID_MS} 00 00 00 01`);
const GROUP_HEAD = bytes(`01 01 'g' 81 ${ID_MS} 00 01`);
/** 100 seconds, 200 messages; one producer with two of them; 2 added, 1 came twice. */
const REMEMBERED = bytes('40 64 40 c8 01', `02 'p1' 02 02 'm1' 81 ${ID_MS} 00 02 'm2' 81 ${ID_MS} 01`, '02 01');
const STREAM_EVENTS = [
  `streamNode ${hexOf(0)} x${NODE.subarray(18).toString('hex')}`,
  `streamInfo {"length":1,"lastMs":${MS},"lastSequence":0,"firstMs":${MS},"firstSequence":0,` +
    '"maxDeletedMs":0,"maxDeletedSequence":0,"entriesAdded":1}',
  `streamGroup "g" {"lastMs":${MS},"lastSequence":0,"entriesRead":"1"}`,
];
const REMEMBERED_EVENT =
  'streamIdempotency {"durationSeconds":100,"entriesMax":200,"producers":1,"entries":2,"added":2,"duplicates":1}';

const TIMES = '10 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00';

function key(type: number, events: string[], name = 'k'): string[] {
  return [`key "${name}" ${type} -1 -1 -1`, ...events, 'keyEnd'];
}

const PAIRS = ['begin hash 2', 'pair "field1" "1" -1', 'pair "field2" "2" -1'];
const NAMES_LISTPACK = bytes("17 00 00 00 02 00 86 'field1' 07 86 'field2' 07 ff");
const TEMPLATE_5 = bytes("f2 05 02 06 'field1' 06 'field2'");

export const samples: Sample[] = [
  {
    name: 'stream-v4',
    magic: 'REDIS0013',
    body: bytes(
      "1a 01 'k'",
      STREAM_HEAD,
      GROUP_HEAD,
      `01 ${idOf(0)} 05 00 00 00 00 00 00 00 03`,
      `01 01 'c' ${TIMES} 01 ${idOf(0)}`,
      REMEMBERED,
    ),
    events: key(26, [
      ...STREAM_EVENTS,
      `streamPending ${hexOf(0)} 5 3`,
      'streamConsumer "c" 16 32',
      `streamOwned ${hexOf(0)}`,
      REMEMBERED_EVENT,
    ]),
  },
  {
    name: 'stream-v5',
    magic: 'REDIS0014',
    body: bytes(
      "1b 01 'k'",
      STREAM_HEAD,
      GROUP_HEAD,
      // Pending: one that is owned; one given back for good, which counts as delivered ever so often; one given back.
      `03 ${idOf(0)} 05 00 00 00 00 00 00 00 03`,
      `${idOf(1)} 00 00 00 00 00 00 00 00 81 7f ff ff ff ff ff ff ff`,
      `${idOf(2)} 00 00 00 00 00 00 00 00 02`,
      `01 01 'c' ${TIMES} 01 ${idOf(0)}`,
      `02 ${idOf(1)} ${idOf(2)}`,
      REMEMBERED,
    ),
    events: key(27, [
      ...STREAM_EVENTS,
      `streamPending ${hexOf(0)} 5 3`,
      `streamPending ${hexOf(1)} 0 ${2 ** 63}`,
      `streamPending ${hexOf(2)} 0 2`,
      'streamConsumer "c" 16 32',
      `streamOwned ${hexOf(0)}`,
      `streamUnowned ${hexOf(1)}`,
      `streamUnowned ${hexOf(2)}`,
      REMEMBERED_EVENT,
    ]),
  },
  {
    name: 'array',
    magic: 'REDIS0014',
    body: bytes(
      "1c 01 'k' 04 01 81 00 00 00 01 00 00 00 00",
      "00 00 05 'hello'",
      '02 01 ff ff ff ff ff ff ff ff',
      '43 e8 02 00 00 00 00 00 00 f8 3f',
      "81 ff ff ff ff ff ff ff fe 03 03 'abc'",
      "00 01 's' 01 't'",
    ),
    events: [...key(28, ['foreign array 4']), ...key(0, ['string "t"'], 's')],
  },
  {
    name: 'hash-template-listpack',
    magic: 'REDIS0015',
    body: bytes("1d 01 'k' 00 17", NAMES_LISTPACK, '0d 0d 00 00 00 03 00 01 01 01 01 02 01 ff'),
    events: key(29, PAIRS),
  },
  {
    name: 'hash-template-listpack, plain names',
    magic: 'REDIS0015',
    body: bytes("1d 01 'k' 01 02 06 'field1' 06 'field2' 0d 0d 00 00 00 03 00 01 01 01 01 02 01 ff"),
    events: key(29, PAIRS),
  },
  {
    name: 'hash-template-listpack-ref',
    magic: 'REDIS0015',
    body: bytes(TEMPLATE_5, "1e 01 'k' 0d 0d 00 00 00 03 00 05 01 01 01 02 01 ff"),
    events: key(30, PAIRS),
  },
  {
    name: 'hash-template-array',
    magic: 'REDIS0015',
    body: bytes("1f 01 'k' 01 02 06 'field1' 06 'field2' c0 01 c0 02"),
    events: key(31, PAIRS),
  },
  {
    name: 'hash-template-array, packed names',
    magic: 'REDIS0015',
    body: bytes("1f 01 'k' 00 17", NAMES_LISTPACK, 'c0 01 c0 02'),
    events: key(31, PAIRS),
  },
  {
    name: 'hash-template-array-ref, twice',
    magic: 'REDIS0015',
    body: bytes(TEMPLATE_5, "20 01 'k' 05 c0 01 c0 02 20 01 'l' 05 c0 01 c0 02"),
    events: [...key(32, PAIRS), ...key(32, PAIRS, 'l')],
  },
  {
    name: 'key metadata',
    magic: 'REDIS0013',
    // Two classes, AAAB version 1 and Aa0_ version 0: 2 integers; a string and a double.
    body: bytes(
      'fc 00 00 00 00 00 02 00 00 f3 02',
      '08 01 00 00 02 05 01 03 00',
      "00 3f ad 01 05 02 'xy' 04 00 00 00 00 00 00 f8 3f 00",
      "00 01 'k' 01 'v'",
    ),
    events: ['keyMetadata META-AAAB', 'keyMetadata META-Aa0_', 'key "k" 0 2199023255552 -1 -1', 'string "v"', 'keyEnd'],
  },
  {
    name: 'path-hash',
    magic: 'VALKEY081',
    body: bytes("17 01 'k' 02 02 'p1' 02 01 'f' 01 'v' 01 'g' c0 07 02 'p2' 01 01 'f' 01 'w'"),
    events: key(23, ['foreign path-hash 2']),
  },
  {
    name: 'inline command',
    magic: 'VALKEY081',
    body: bytes("f2 '*2' 0d 0a '$3' 0d 0a 'DEL' 0d 0a '$1' 0d 0a 'k' 0d 0a 00 01 'k' 01 'v'"),
    events: ['inlineCommand "DEL"', ...key(0, ['string "v"'])],
  },
];
