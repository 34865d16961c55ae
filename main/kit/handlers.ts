import * as m from '../text/compiled/messages.js'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import type { Handlers } from '../api/dispatch.ts'
import type { Request } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import { kitQuestion, kitRemovalQuestion } from '../authority/questions.ts'
import type { JobStore } from '../jobs/store.ts'
import { kitNumber } from '../repositories/kit-record.ts'
import { ownFile } from '../system/private-folder.ts'
import type { Kits } from './kits.ts'

/** Turns a page of HTML into paper or PDF, without the window and without a file in between. */
export interface PagePrinter {
  pdf(html: string): Promise<Uint8Array>
  /** False where it was cancelled or did not work. */
  print(html: string): Promise<boolean>
}

export interface KitHandlerPorts {
  readonly store: JobStore
  readonly kits: Kits
  readonly ask: Ask
  /** Where a person wants a file to be; undefined: nowhere. */
  readonly saveFile: (options: { readonly title: string; readonly defaultPath: string; readonly filters: { readonly name: string; readonly extensions: string[] }[] }) => Promise<string | undefined>
  readonly printer: PagePrinter
}

export function kitHandlers(ports: KitHandlerPorts): Pick<Handlers, 'kit.make' | 'kit.page' | 'kit.check' | 'kit.revoke'> {
  const { store, kits, ask } = ports
  return {
    async 'kit.make'({ jobId }) {
      const { config, repository } = store.get(jobId)
      if (repository.repositoryId !== undefined) await ask(kitQuestion(config.name))
      await kits.make(store.get(jobId))
    },
    'kit.page': (request) => givePage(ports, request),
    'kit.check': ({ jobId, words }) => kits.check(store.get(jobId), words),
    async 'kit.revoke'({ jobId, number }) {
      const record = store.get(jobId)
      if (kits.isGiven(record, number)) await ask(kitRemovalQuestion(record.config.name, number))
      await kits.revoke(store.get(jobId), number)
    },
  }
}

async function givePage(ports: KitHandlerPorts, { jobId, to }: Request<'kit.page'>): Promise<{ readonly done: boolean }> {
  const { store, kits, printer } = ports
  const record = store.get(jobId)
  const { key, html } = kits.page(record)
  const done = to === 'pdf' ? await savePdf(ports, kitNumber({ key }), () => kits.page(record, key).html) : await printer.print(html)
  if (done) await kits.given(record, key)
  return { done }
}

async function savePdf({ store, saveFile, printer }: KitHandlerPorts, number: string, page: () => string): Promise<boolean> {
  const path = await saveFile({ title: m.kit_saveTitle(), defaultPath: m.kit_fileName({ number }), filters: [{ name: 'PDF', extensions: ['pdf'] }] })
  if (path === undefined) return false
  const target = await realTarget(path)
  if (await isBesideBackup(target, store)) throw new MainError('arguments', 'A backup is in this folder.', { reason: 'beside-backup' })
  // While somebody chose, the kit may have been taken away.
  const pdf = await printer.pdf(page())
  try {
    await writeFileAtomic(target, Buffer.from(pdf), ownFile())
  } catch (error) {
    throw refusal(error)
  }
  return true
}

async function realTarget(path: string): Promise<string> {
  try {
    return join(await realpath(dirname(path)), basename(path))
  } catch (error) {
    throw refusal(error)
  }
}

/** Whoever finds the disk would find with it what opens it. */
async function isBesideBackup(path: string, { all, copies }: JobStore): Promise<boolean> {
  const places = [...all.map(({ config }) => config.destination), ...copies.all.map(({ destination }) => destination)]
  const folders = await Promise.all(places.flatMap((one) => (one.type === 'folder' ? [realpath(one.path).catch(() => one.path)] : [])))
  return folders.some((folder) => {
    const way = relative(folder, path)
    return way !== '..' && !way.startsWith(`..${sep}`)
  })
}

function refusal(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return new MainError('full', 'The page could not be saved.', { place: 'local' })
  return typeof code === 'string' ? new MainError('denied', `The page could not be saved (${code}).`, { reason: 'save' }) : error
}
