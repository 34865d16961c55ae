import type { CompletedPart } from '@aws-sdk/client-s3'
import { literal, number, object, safeParse, string } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { md5OfFile, type FileRange } from '../http/body.ts'
import type { Bucket } from './bucket.ts'

export type FileBody = Extract<Body, { readonly type: 'file' }>

const mebibyte = 1024 * 1024
/** Below this one request is cheaper than the four of a multipart upload. */
const multipartBytes = 32 * mebibyte
const standardPart = 8 * mebibyte
const mostParts = 10_000
const cleanUpMs = 900
/** A run clears away no more; the next one goes on. */
const mostUploadPages = 100

const journalEntry = object({ version: literal(1), uploadId: string(), size: number(), crc32: number(), partSize: number() })

interface Upload {
  readonly uploadId: string
  readonly partSize: number
}

export interface MultipartTarget {
  readonly bucket: Bucket
  readonly key: string
  /** The object's name, under which the journal keeps the upload. */
  readonly name: string
  readonly journal: UploadJournal | undefined
  /** See S3Address. */
  readonly partBytes: number | undefined
}

/** Whether a file of this size is better sent in parts. A part size that somebody asked for tells how much may be lost at once. */
export function goesInParts(size: number, partBytes: number | undefined): boolean {
  return partBytes === undefined ? size >= multipartBytes : size > partBytes
}

/**
 * Sends a file in parts. With a journal, an upload that broke off goes on where it stopped, in another process too: parts that
 * arrived (by number, length and MD5) are not sent again. That is one attempt in the sense of rule R5: an upload id
 * completes at most once, and when it is gone the name is given up (`unavailable`, no journal entry), unless its object is there.
 */
export async function putInParts(target: MultipartTarget, body: FileBody, options: PutOptions, signal: AbortSignal): Promise<void> {
  const kept = await continued(target, body, signal)
  if (kept === 'complete') {
    target.journal?.delete(target.name)
    return
  }
  const upload = kept ?? (await begun(target, body, signal))
  try {
    const parts = await sendParts(target, body, upload, kept !== undefined, options, signal)
    await complete(target, body, upload, parts, signal)
    target.journal?.delete(target.name)
  } catch (error) {
    if (!target.journal) await discard(target, upload.uploadId)
    throw error
  }
}

async function begun(target: MultipartTarget, body: FileBody, signal: AbortSignal): Promise<Upload> {
  const uploadId = await target.bucket.createUpload(target.key, signal)
  const partSize = partSizeOf(body.size, target.partBytes ?? standardPart)
  target.journal?.set(target.name, JSON.stringify({ version: 1, uploadId, size: body.size, crc32: body.crc32, partSize }))
  return { uploadId, partSize }
}

function partSizeOf(size: number, wanted: number): number {
  return Math.max(wanted, Math.ceil(size / mostParts / mebibyte) * mebibyte)
}

/** The upload that the journal remembers for this very file. */
async function continued(target: MultipartTarget, body: FileBody, signal: AbortSignal): Promise<Upload | 'complete' | undefined> {
  const text = target.journal?.get(target.name)
  if (text === undefined) return undefined
  const entry = safeParse(journalEntry, parseJson(text))
  if (!entry.success || entry.output.size !== body.size || entry.output.crc32 !== body.crc32) {
    if (entry.success) await discard(target, entry.output.uploadId)
    target.journal?.delete(target.name)
    return undefined
  }
  try {
    // Only to learn whether the upload is still open.
    await target.bucket.listParts(target.key, entry.output.uploadId, undefined, signal)
    return entry.output
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error
    await requireComplete(target, body, error, signal)
    return 'complete'
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The upload id is gone: either the upload was completed and the reply lost, or the storage dropped it. */
async function requireComplete(target: MultipartTarget, body: FileBody, cause: HoldfastError, signal: AbortSignal): Promise<void> {
  try {
    if ((await target.bucket.head(target.key, signal)).ContentLength === body.size) return
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error
  }
  target.journal?.delete(target.name)
  throw new HoldfastError('unavailable', `The storage dropped the unfinished upload of ${target.name}.`, { cause })
}

async function complete(target: MultipartTarget, body: FileBody, upload: Upload, parts: CompletedPart[], signal: AbortSignal): Promise<void> {
  try {
    await target.bucket.completeUpload(target.key, upload.uploadId, parts, signal)
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error
    await requireComplete(target, body, error, signal)
  }
}

/** What arrived, by part number: length and ETag. */
async function arrivedParts(target: MultipartTarget, uploadId: string, signal: AbortSignal): Promise<ReadonlyMap<number, { readonly size: number; readonly etag: string }>> {
  const arrived = new Map<number, { readonly size: number; readonly etag: string }>()
  for (let marker: string | undefined; ; ) {
    const page = await target.bucket.listParts(target.key, uploadId, marker, signal)
    for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
      if (PartNumber !== undefined && PartNumber <= mostParts && Size !== undefined && ETag !== undefined) arrived.set(PartNumber, { size: Size, etag: ETag })
    }
    const next = page.NextPartNumberMarker
    // Parts are numbered: a list that does not go up has nothing more to tell.
    if (!page.IsTruncated || !(Number(next) > Number(marker ?? 0)) || Number(next) >= mostParts) return arrived
    marker = next
  }
}

/** One part after the other: a transfer is one connection, so that an account's cap on transfers is one on connections too (A3). */
async function sendParts(target: MultipartTarget, body: FileBody, upload: Upload, resumes: boolean, options: PutOptions, signal: AbortSignal): Promise<CompletedPart[]> {
  const arrived = resumes ? await arrivedParts(target, upload.uploadId, signal) : new Map<number, never>()
  const count = Math.ceil(body.size / upload.partSize)
  const parts: CompletedPart[] = []
  let sentBytes = 0
  for (let index = 0; index < count; index++) {
    const range = partRange(body, upload, index)
    const md5 = await md5OfFile(range)
    const there = arrived.get(index + 1)
    const before = sentBytes
    const etag = there?.size === range.length && there.etag.replaceAll('"', '') === md5 ? there.etag
      : await target.bucket.uploadPart(target.key, upload.uploadId, index + 1, range, md5, options.pace, (bytes) => { options.onProgress?.(before + bytes) }, signal)
    parts.push({ PartNumber: index + 1, ETag: etag })
    sentBytes += range.length
    options.onProgress?.(sentBytes)
  }
  return parts
}

function partRange(body: FileBody, upload: Upload, index: number): FileRange {
  const offset = index * upload.partSize
  return { path: body.path, offset, length: Math.min(upload.partSize, body.size - offset) }
}

/** Best effort within the second that a cancel may take: what remains is cleared away by prune. */
async function discard(target: MultipartTarget, uploadId: string): Promise<void> {
  await target.bucket.abortUpload(target.key, uploadId, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
}

/** Clears away uploads below a key prefix that began long ago. */
export async function abortUploadsBefore(bucket: Bucket, prefix: string, beforeMs: number, signal: AbortSignal): Promise<number> {
  let aborted = 0
  let after: { readonly key: string; readonly uploadId: string } | undefined
  for (let pages = 0; pages < mostUploadPages; pages++) {
    const page = await bucket.listUploads(prefix, after, signal)
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || !Initiated || Initiated.getTime() >= beforeMs) continue
      await bucket.abortUpload(Key, UploadId, signal).catch((error: unknown) => {
        if (!hasCode(error, 'not-found')) throw error
      })
      aborted++
    }
    const { NextKeyMarker: key, NextUploadIdMarker: uploadId } = page
    if (!page.IsTruncated || key === undefined || uploadId === undefined || (after?.key === key && after.uploadId === uploadId)) return aborted
    after = { key, uploadId }
  }  return aborted
}
