// Authentication of the default user with requirepass.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthService } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';

export class PasswordAuth implements AuthService {
  /** SHA-256 of the password; null: none is needed. */
  private digest: Buffer | null = null;

  get openToAll(): boolean {
    return this.digest === null;
  }

  /** Takes requirepass; empty means no password. */
  configure(password: Buffer): void {
    this.digest = password.length === 0 ? null : sha256(password);
  }

  authenticate(session: Session, user: string, password: Buffer): boolean {
    if (user !== 'default') return false;
    // Digests have one length: the comparison's time tells nothing of the password.
    if (this.digest !== null && !timingSafeEqual(this.digest, sha256(password))) return false;
    session.authenticated = true;
    session.user = 'default';
    return true;
  }

  logout(session: Session): void {
    session.authenticated = this.openToAll;
    session.user = 'default';
  }

  userExists(name: string): boolean {
    return name === 'default';
  }

  permissionRefusal(): string | null {
    return null;
  }
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
