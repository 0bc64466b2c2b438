// Reads what stands between the keys of an RDB: databases, expiries, AUX fields, function libraries, cluster slots, what
// modules attach to keys.

import { metadataName, moduleName } from './modules.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';
import { MODULE_OPCODE, RDB_OPCODE, RDB_VERSION, type RdbFlavour } from './types.ts';
import type { RdbVisitor } from './visitor.ts';

/** What opcodes say of the key that follows them; -1 where they say nothing. */
export class KeyHints {
  expireAtMs = -1;
  idleSeconds = -1;
  frequency = -1;
  /** Modules attached something. */
  metadata = false;

  get pending(): boolean {
    return this.expireAtMs !== -1 || this.idleSeconds !== -1 || this.frequency !== -1 || this.metadata;
  }

  clear(): void {
    this.expireAtMs = -1;
    this.idleSeconds = -1;
    this.frequency = -1;
    this.metadata = false;
  }
}

/**
 * What comes after an opcode: another (or a key), data of `module`, ranges for readSlotRange(), classes for
 * readMetadataClass(), what the name says, or the checksum.
 */
export type AfterOpcode =
  | 'opcode'
  | 'module-data'
  | 'slot-import'
  | 'key-metadata'
  | 'hash-template'
  | 'inline-command'
  | 'end';

/** Modules of one server can attach no more than this to a key. */
const METADATA_CLASSES_MAX = 7;

export class OpcodeReader {
  readonly hints = new KeyHints();
  /** Whose data follows. */
  module = '';
  readonly #source: RdbSource;
  readonly #visitor: RdbVisitor;
  readonly #name = new Slice();
  readonly #value = new Slice();
  #rangesLeft = 0;
  #classesLeft = 0;

  constructor(source: RdbSource, visitor: RdbVisitor) {
    this.#source = source;
    this.#visitor = visitor;
  }

  /** Reads the operands of an opcode that was just read. Throws RdbError when it means nothing. */
  read(opcode: number, version: number, flavour: RdbFlavour): AfterOpcode {
    const s = this.#source;
    switch (opcode) {
      case RDB_OPCODE.expireTimeMs:
        s.activity = 'read-expire';
        this.hints.expireAtMs = s.i64le();
        return 'opcode';
      case RDB_OPCODE.expireTime:
        s.activity = 'read-expire';
        this.hints.expireAtMs = s.i32le() * 1000;
        return 'opcode';
      case RDB_OPCODE.idle:
        this.hints.idleSeconds = s.length();
        return 'opcode';
      case RDB_OPCODE.freq:
        this.hints.frequency = s.u8();
        return 'opcode';
      case RDB_OPCODE.selectDb:
        s.activity = 'read-len';
        this.#visitor.selectDb(s.length());
        return 'opcode';
      case RDB_OPCODE.resizeDb:
        return this.#resizeDb();
      case RDB_OPCODE.aux:
        return this.#aux();
      case RDB_OPCODE.moduleAux:
        return this.#moduleAux();
      case RDB_OPCODE.function2:
        return this.#function();
      case RDB_OPCODE.functionPreGa:
        return this.#oldFunction();
      case RDB_OPCODE.slotInfo:
        return this.#slotInfo();
      case RDB_OPCODE.eof:
        return 'end';
      default:
        return flavour === 'valkey' ? this.#readOfValkey(opcode, version) : this.#readOfRedis(opcode, version);
    }
  }

  /** Reads what precedes the classes of metadata. */
  openMetadata(): 'key-metadata' {
    const s = this.#source;
    s.activity = 'read-len';
    this.#classesLeft = s.length();
    if (this.#classesLeft > METADATA_CLASSES_MAX) {
      throw s.fail(
        'integrity',
        `A key with ${s.lengthExact()} classes of metadata, of ${METADATA_CLASSES_MAX} possible`,
      );
    }
    this.hints.metadata = true;
    return 'key-metadata';
  }

  /** Reads whose metadata follow, into `module`; false when there are none left. */
  readMetadataClass(): boolean {
    if (this.#classesLeft === 0) return false;
    this.module = metadataName(this.#source.i32le());
    this.#visitor.keyMetadata(this.module);
    this.#classesLeft--;
    return true;
  }

  /** Reads one range of slots that were being imported; false when there is none left. */
  readSlotRange(): boolean {
    if (this.#rangesLeft === 0) return false;
    const first = this.#source.length();
    this.#visitor.slotImportRange(first, this.#source.length());
    this.#rangesLeft--;
    return true;
  }

  #readOfRedis(opcode: number, version: number): AfterOpcode {
    if (opcode === RDB_OPCODE.hashTemplate && version >= RDB_VERSION.hashTemplate) return 'hash-template';
    if (opcode === RDB_OPCODE.keyMetadata && version >= RDB_VERSION.keyMetadata) return this.openMetadata();
    throw this.#source.fail('type', `Invalid object type: ${opcode}`);
  }

  #readOfValkey(opcode: number, version: number): AfterOpcode {
    if (opcode === RDB_OPCODE.slotImport) return this.#slotImport();
    if (opcode === RDB_OPCODE.inlineCommand && version >= RDB_VERSION.inlineCommand) return 'inline-command';
    const age = version > RDB_VERSION.newestValkey ? 'future version' : 'version';
    throw this.#source.fail('type', `Unknown object type ${opcode} in RDB file with ${age} ${version}`);
  }

  #resizeDb(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-len';
    const keys = s.length();
    this.#visitor.resizeDb(keys, s.length());
    return 'opcode';
  }

  #aux(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-aux';
    s.string(this.#name);
    s.string(this.#value);
    this.#visitor.aux(this.#name, this.#value);
    return 'opcode';
  }

  #moduleAux(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-module-aux';
    s.length();
    this.module = moduleName(s.lengthExact());
    const whenOpcode = s.length();
    s.length();
    if (whenOpcode !== MODULE_OPCODE.uint) throw s.fail('integrity', 'bad when_opcode');
    this.#visitor.moduleAux(this.module);
    return 'module-data';
  }

  #function(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-functions';
    s.starvedMessage = 'Failed loading library, Failed loading library payload';
    s.string(this.#value);
    s.starvedMessage = '';
    this.#visitor.functionLibrary(this.#value);
    return 'opcode';
  }

  /** Release candidates of 7.0 stored name, engine and description beside the code: they become its first line. */
  #oldFunction(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-functions';
    s.starvedMessage = 'Failed loading library, Failed loading library name';
    s.string(this.#name);
    const name = latin1(this.#name);
    s.string(this.#name);
    const engine = latin1(this.#name).toLowerCase();
    s.starvedMessage = 'Failed loading library, Failed loading library description indicator';
    if (s.length() > 0) {
      s.starvedMessage = 'Failed loading library, Failed loading library description';
      s.string(this.#name);
    }
    s.starvedMessage = 'Failed loading library, Failed loading library blob';
    s.string(this.#value);
    s.starvedMessage = '';
    const code = Buffer.concat([Buffer.from(`#!${engine} name=${name}\n`, 'latin1'), this.#value.copy()]);
    this.#value.set(code, 0, code.length);
    this.#visitor.functionLibrary(this.#value);
    return 'opcode';
  }

  #slotInfo(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-len';
    const slot = s.length();
    const keys = s.length();
    this.#visitor.slotInfo(slot, keys, s.length());
    return 'opcode';
  }

  #slotImport(): AfterOpcode {
    const s = this.#source;
    s.activity = 'read-len';
    s.string(this.#value);
    this.#rangesLeft = s.length();
    this.#visitor.slotImport(this.#value);
    return 'slot-import';
  }
}

function latin1(slice: Slice): string {
  return Buffer.from(slice.copy()).toString('latin1');
}
