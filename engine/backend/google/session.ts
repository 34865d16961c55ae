import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions } from '../backend.ts'
import { fileBody } from '../http/body.ts'
import type { HttpReply } from '../http/client.ts'
import { readSmall } from '../http/reply.ts'
import type { Watch } from '../http/watch.ts'
import type { GoogleClient, GoogleRequest } from './client.ts'
import { octets } from './related.ts'

/**
 * Google's resumable uploads, the same for Drive and Cloud Storage: https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable,
 * https://cloud.google.com/storage/docs/performing-resumable-uploads
 */

export type FileBody = Extract<Body, { readonly type: 'file' }>

/**
 * So much goes in one request; a multiple of 256 KiB, as all but the last have to be. When one breaks off, the storage keeps what it has
 * got of it, in steps of 256 KiB: larger requests lose no more, and wait less for replies.
 */
const requestBytes = 16 * 1024 * 1024
const mostStalls = 3
const cleanUpMs = 900

/** How an unfinished upload stands: so many bytes are kept; all are, and this is what the storage says of the object; or nobody knows of it. */
export type SessionState =
  | { readonly type: 'open'; readonly bytes: number }
  | { readonly type: 'complete'; readonly answer: Buffer }
  | { readonly type: 'gone' }

/** Begins one; resolves to its address, which is a key to it: whoever has it may send bytes. Whether repeating is safe: yes, it leaves an unused session behind, which ends by itself within a week. */
export function beginSession(client: GoogleClient, what: string, request: Pick<GoogleRequest, 'method' | 'url'>, metadata: object, size: number, signal: AbortSignal): Promise<string> {
  const text = Buffer.from(JSON.stringify(metadata))
  const headers = {
    'content-type': 'application/json; charset=UTF-8', 'content-length': String(text.length), 'x-upload-content-type': octets, 'x-upload-content-length': String(size),
  }
  return client.exchange(what, 'small', { ...request, headers, body: () => text }, async (reply, watch) => {
    await readSmall(reply, watch)
    const address = reply.headers['location'] ?? ''
    if (!isSessionOf(client.origin, address)) throw new HoldfastError('unavailable', `Google began an upload of ${what} without saying where it goes on.`)
    return address
  }, signal)
}

/** An address that bytes and the token may be sent to: of the API's own host, or another of Google's. */
export function isSessionOf(origin: string, address: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  return url.username === '' && (url.origin === origin || (origin.endsWith('.googleapis.com') && url.protocol === 'https:' && url.host.endsWith('.googleapis.com')))
}

/** Asks what has arrived. */
export function sessionState(client: GoogleClient, what: string, address: string, size: number, signal: AbortSignal): Promise<SessionState> {
  const request = { method: 'PUT', url: address, headers: { 'content-length': '0', 'content-range': `bytes */${size}` }, alsoAnswers: [308] }
  return orGone(client.exchange(what, 'small', request, (reply, watch) => stateOf(reply, watch, size), signal))
}

/**
 * Sends a file from the byte that the storage waits for. Ends as `complete` or `gone`. Errors: also unavailable (bytes do not stay).
 */
export async function sendFile(client: GoogleClient, what: string, address: string, body: FileBody, from: number, { pace, onProgress }: PutOptions, signal: AbortSignal): Promise<SessionState> {
  let state: SessionState = { type: 'open', bytes: from }
  for (let stalls = 0; state.type === 'open'; ) {
    const offset: number = state.bytes
    const range = { path: body.path, offset, length: Math.min(requestBytes, body.size - offset) }
    onProgress?.(offset)
    state = await orGone(client.exchange(what, range.length, {
      method: 'PUT', url: address, alsoAnswers: [308],
      headers: { 'content-type': octets, 'content-length': String(range.length), 'content-range': contentRange(offset, range.length, body.size) },
      body: (watch) => fileBody(range, watch, pace, (bytes) => { onProgress?.(offset + bytes) }),
    }, (reply, watch) => stateOf(reply, watch, body.size), signal))
    if (state.type === 'open' && state.bytes <= offset && ++stalls === mostStalls) throw new HoldfastError('unavailable', `Google keeps nothing of what is sent of ${what}.`)
  }
  return state
}

/** Best effort within the second that a cancel may take: what remains ends by itself. */
export async function discardSession(client: GoogleClient, what: string, address: string): Promise<void> {
  const request = { method: 'DELETE', url: address, headers: { 'content-length': '0' }, alsoAnswers: [499] }
  await client.exchange(what, 'small', request, readSmall, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
}

function contentRange(offset: number, length: number, size: number): string {
  return length === 0 ? `bytes */${size}` : `bytes ${offset}-${offset + length - 1}/${size}`
}

async function stateOf(reply: HttpReply, watch: Watch, size: number): Promise<SessionState> {
  const answer = await readSmall(reply, watch)
  if (reply.status !== 308) return { type: 'complete', answer }
  const { range } = reply.headers
  const last = range === undefined ? -1 : Number(/^bytes=0-(\d{1,15})$/.exec(range)?.[1] ?? NaN)
  if (!(last < size)) throw new HoldfastError('unavailable', 'Google does not say what has arrived of the object.')
  return { type: 'open', bytes: last + 1 }
}

/** 404 and 410 are told of an upload that was ended, or was forgotten after its week; 409 of one whose object is there. */
async function orGone(state: Promise<SessionState>): Promise<SessionState> {
  try {
    return await state
  } catch (error) {
    if (hasCode(error, 'not-found') || (error instanceof HoldfastError && error.data['status'] === 409)) return { type: 'gone' }
    throw error
  }
}
