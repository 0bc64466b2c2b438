// The sections beside load and memory, in the order of the report.
import { connections } from './connections.ts';
import { curve } from './curve.ts';
import { growth } from './growth.ts';
import { persistence } from './persistence.ts';
import { pubsub } from './pubsub.ts';
import type { Section } from './section.ts';
import { tail } from './tail.ts';

export const SECTIONS: readonly Section[] = [connections, pubsub, growth, curve, ...persistence, tail];
