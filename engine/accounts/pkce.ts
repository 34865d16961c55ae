import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** RFC 7636: 32 random bytes, as text of 43 characters. Also good as a `state`. */
export function randomText(): string {
  return randomBytes(32).toString('base64url')
}

/** S256 of RFC 7636, 4.2. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url')
}

/** In a time that says nothing of where they differ. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
