import * as m from '../text/compiled/messages.js'
import { arch, cpus, homedir, hostname, release, totalmem, userInfo } from 'node:os'
import { join } from 'node:path'
import type { SaveDialogOptions } from 'electron'
import type { Handlers } from '../api/dispatch.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { logHandlers } from '../logs/handlers.ts'
import type { Mail } from '../mail/mail.ts'
import type { ReadableLogs } from '../logs/reader.ts'
import type { Reports } from '../reports/reports.ts'
import { keptSecrets, repositoryUrl } from '../repositories/address.ts'
import type { RunHistory } from '../runs/history.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { Settings } from '../settings/settings.ts'
import type { ReportSource } from './contents.ts'
import type { Known } from './redact.ts'
import { SupportReports } from './report.ts'

export interface SupportHandlerPorts {
  /** Of the app: where it keeps what it keeps. */
  readonly home: string
  readonly version: string
  readonly logs: ReadableLogs
  readonly settings: { readonly value: Settings }
  readonly store: Pick<JobStore, 'all' | 'copies' | 'repositories'>
  readonly history: Pick<RunHistory, 'page'>
  readonly secrets: SecretStore
  readonly reports: Pick<Reports, 'address'>
  readonly mail: Pick<Mail, 'server' | 'password'>
  readonly accounts: { readonly view: { readonly list: readonly { readonly name: string; readonly login: string }[] } }
  readonly copy: (text: string) => void
  /** Where a person wants a file to be; undefined: nowhere. */
  readonly saveFile: (options: SaveDialogOptions) => Promise<string | undefined>
  readonly now: () => number
}

const runsTold = 20

/** What the window may ask of the log, and of reports for support. */
export function supportHandlers(ports: SupportHandlerPorts): Pick<Handlers, 'logs.page' | 'logs.copy' | 'support.make' | 'support.read' | 'support.save' | 'support.discard'> {
  const { home, logs, now } = ports
  const reports = new SupportReports({ folder: join(home, 'support-report'), logs, source: () => sourceOf(ports), known: () => knownOf(ports), now })
  // One that an earlier start has left behind.
  void reports.discard().catch(() => undefined)
  return {
    ...logHandlers(ports),
    'support.make': ({ names }) => reports.make(names),
    'support.read': ({ name, from }) => reports.read(name, from),
    async 'support.save'() {
      const day = new Date(now()).toISOString().slice(0, 10)
      const path = await ports.saveFile({ title: m.support_saveTitle(), defaultPath: m.support_fileName({ day }), filters: [{ name: m.support_zip(), extensions: ['zip'] }] })
      if (path === undefined) return { done: false }
      await reports.save(path)
      return { done: true }
    },
    'support.discard': () => reports.discard(),
  }
}

function sourceOf({ version, settings, store, history, secrets }: SupportHandlerPorts): ReportSource {
  const { electron, chrome, node } = process.versions
  return {
    facts: {
      version, platform: process.platform, release: release(), arch: arch(), electron: electron ?? '', chrome: chrome ?? '', node: node ?? '', cpus: cpus().length,
      memoryMegabytes: Math.round(totalmem() / 1e6), uptimeSeconds: Math.round(process.uptime()), secretStorage: secrets.storage, language: Intl.DateTimeFormat().resolvedOptions().locale,
    },
    settings: settings.value,
    jobs: store.all,
    copies: store.copies.all,
    runs: (jobId) => history.page(jobId, runsTold).runs,
  }
}

/** All of somebody's that is known by its value. */
function knownOf({ home, store, secrets, reports, mail, accounts }: SupportHandlerPorts): Known {
  const places = [...store.all.map(({ config }) => config.destination), ...store.copies.all.map(({ destination }) => destination)]
  const values = places.flatMap((place) => (place.type === 'provider' ? Object.values(place.values) : []))
  const owner = userInfo().username
  return {
    secrets: [...store.repositories.all.map((one) => orNone(() => keptSecrets(secrets, one))), ...store.copies.all.map((one) => orNone(() => secrets.get(one.id, repositoryUrl(one.destination))))]
      .flatMap((kept) => (kept ? [kept.password, ...Object.values(kept.storage)] : []))
      .concat(mail.password ?? [])
      .concat(store.all.flatMap(({ id }) => addressParts(reports.address(id)))),
    folders: [...store.all.flatMap(({ config }) => config.sources), ...places.flatMap((place) => (place.type === 'folder' ? [place.path] : [])), home, homedir()],
    jobs: store.all.map(({ config }: JobRecord) => config.name),
    names: [hostname(), owner, ...store.all.flatMap(({ host }) => (host === undefined ? [] : [host])), ...values.filter(isTelling), ...accounts.view.list.flatMap(({ name, login }) => [name, login]), ...(mail.server ? [mail.server.host, mail.server.user ?? '', mail.server.from, ...mail.server.to] : [])],
  }
}

/** A storage that this version does not know has no address, and nothing can be opened for it. */
function orNone<T>(look: () => T | undefined): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}

/** What identifies its owner is behind the host. */
function addressParts(address: string | undefined): readonly string[] {
  if (address === undefined) return []
  const { pathname, search } = new URL(address)
  return [address, ...[pathname.slice(1), search.slice(1)].filter((part) => part.length >= 6)]
}

/** Not a number, a yes or a no: these are in every text. */
function isTelling(value: string): boolean {
  return value.length >= 4 && !/^(?:true|false|\d+)$/.test(value)
}
