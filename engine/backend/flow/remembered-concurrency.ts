import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import writeFileAtomic from 'write-file-atomic'
import { makePrivateFolder } from '../../base/private-folder.ts'

const maximumAccounts = 100

const remembered = v.object({
  version: v.literal(1),
  accounts: v.record(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)), v.object({
    limit: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1024)),
    usedMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  })),
})

type Accounts = v.InferOutput<typeof remembered>['accounts']

/**
 * How many transfers at once each account bore when it was last used (A4): one small file in HOLDFAST_HOME, for the app's engines
 * and the command line alike. It only saves the next run the slow start, so a file that is missing or damaged counts as empty, and of
 * two runs that end at the same moment one may win. Accounts are kept by their hash: the file tells nobody where backups go.
 */
export class RememberedConcurrency {
  readonly #home: string

  /** @param home HOLDFAST_HOME; made when there is something to remember. */
  constructor(home: string) {
    this.#home = home
  }

  of(account: string): number | undefined {
    return this.#read()[keyOf(account)]?.limit
  }

  /** Keeps the accounts that were used last, at most 100. Errors: those of the file system. */
  async remember(account: string, limit: number, nowMs: number): Promise<void> {
    const accounts: Accounts = { ...this.#read(), [keyOf(account)]: { limit, usedMs: nowMs } }
    const newest = Object.entries(accounts).sort(([, a], [, b]) => b.usedMs - a.usedMs).slice(0, maximumAccounts)
    if (!existsSync(this.#home)) makePrivateFolder(this.#home)
    await writeFileAtomic(this.#path, `${JSON.stringify({ version: 1, accounts: Object.fromEntries(newest) })}\n`, { mode: 0o600 })
  }

  get #path(): string {
    return join(this.#home, 'concurrency.json')
  }

  #read(): Accounts {
    try {
      const parsed = v.safeParse(remembered, JSON.parse(readFileSync(this.#path, 'utf8')))
      return parsed.success ? parsed.output.accounts : {}
    } catch {
      return {}
    }
  }
}

function keyOf(account: string): string {
  return createHash('sha256').update(account).digest('hex').slice(0, 32)
}
