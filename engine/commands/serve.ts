import { once } from 'node:events'
import { HoldfastError, toWireError } from '../base/errors.ts'
import type { ServeJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { BrowseRequest } from './browse.ts'
import type { CommandContext } from './context.ts'
import { hostOf } from './host.ts'
import { plainSummary } from './plain-summary.ts'
import { openReader } from './reader.ts'
import { ContentReader } from './serve/content.ts'
import { openDoor, type DoorAddress } from './serve/door.ts'
import { DavHandler } from './serve/handler.ts'
import { Shelf } from './serve/shelf.ts'

/** A door that is open, and how many snapshots are behind it. */
export interface OpenDoor extends DoorAddress {
  readonly snapshots: number
}

/**
 * Shows snapshots to programs of this machine by WebDAV, to read and no more, until the run is stopped or nobody has asked for long; nothing of
 * them is written anywhere. Errors: those of opening, not-found (a snapshot), busy (the port).
 */
export async function serveFiles(job: ServeJob, context: CommandContext, onOpen: (door: OpenDoor) => void): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await using reader = await openReader(job, context)
  const shelf = new Shelf(reader, { names: job.snapshots, host: hostOf(job) }, context)
  const snapshots = await shelf.open()
  const handler = new DavHandler({ shelf, content: new ContentReader(reader, context), context })
  await using door = await openDoor({
    port: job.port, serve: (request, reply) => handler.serve(request, reply), ...(job.idleMs === undefined ? {} : { idleMs: job.idleMs }),
  })
  if (!context.signal.aborted) {
    onOpen({ ...door.address, snapshots })
    await Promise.race([once(context.signal, 'abort'), door.idle])
  }
  return plainSummary('serve', startedMs, context.clock.now(), reader.storage.traffic, {})
}

/** As serveFiles; whoever asks is told where the door is. */
export async function serveAsked(job: ServeJob, context: CommandContext, requests: AsyncIterable<BrowseRequest>): Promise<RunSummary> {
  const opened = Promise.withResolvers<OpenDoor>()
  void answerAll(requests, opened.promise)
  return serveFiles(job, context, opened.resolve)
}

/** Where no door is opened, the end of the engine is the answer. */
async function answerAll(requests: AsyncIterable<BrowseRequest>, opened: Promise<OpenDoor>): Promise<void> {
  for await (const { query, answer } of requests) {
    if (query.type === 'door') void opened.then((door) => { answer({ type: 'door', ...door }) })
    else answer({ type: 'error', error: toWireError(new HoldfastError('unsupported', 'A door is asked nothing but where it is.')) })
  }
}
