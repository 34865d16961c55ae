import * as v from 'valibot'
import type { MailReason, MailServer, MailWhen } from '../api/mail-views.ts'
import { mailServerSchema } from '../api/schemas.ts'
import { VersionedFile } from '../settings/versioned-file.ts'

/** A message on its way. */
export interface Waiting {
  /** Of the run, or of the week. */
  readonly id: string
  readonly subject: string
  readonly text: string
  readonly atMs: number
  /** Not before, ms since 1970. */
  readonly dueMs: number
  readonly tries: number
  /** It is being given to the server: where that was cut off, it may have arrived. */
  readonly trying?: boolean
}

export interface KeptMail {
  readonly server?: MailServer
  readonly jobs: Readonly<Record<string, MailWhen>>
  readonly waiting: readonly Waiting[]
  /** What has been told, the newest last: of a run nobody hears twice. */
  readonly told: readonly string[]
  /** From when on the next week is told of. */
  readonly weekSinceMs?: number
  readonly failed?: { readonly atMs: number; readonly reason: MailReason; readonly givenUp: boolean }
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const schema: v.GenericSchema<unknown, KeptMail> = v.object({
  server: v.exactOptional(mailServerSchema),
  jobs: v.record(v.string(), v.picklist(['failure', 'warning', 'always', 'weekly'])),
  waiting: v.array(v.object({ id: v.string(), subject: v.string(), text: v.string(), atMs: v.number(), dueMs: v.number(), tries: whole, trying: v.exactOptional(v.boolean()) })),
  told: v.array(v.string()),
  weekSinceMs: v.exactOptional(v.number()),
  failed: v.exactOptional(v.object({
    atMs: v.number(), givenUp: v.boolean(), reason: v.picklist(['offline', 'timeout', 'certificate', 'no-tls', 'credentials', 'sender', 'recipient', 'refused', 'lost', 'unsure']),
  })),
})

export function openMailFile(path: string, now: () => number): VersionedFile<KeptMail> {
  return new VersionedFile({ path, schema, migrations: [], initial: { jobs: {}, waiting: [], told: [] }, now })
}
