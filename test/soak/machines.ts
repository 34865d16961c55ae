import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '../bench/random.ts'
import { describeOddTree, makeOddTree, removeIfThere } from '../fixtures/odd-tree.ts'

const cli = join(import.meta.dirname, '../../dist/engine/cli.js')

export interface SoakCounts {
  cycles: number
  operations: number
  kills: number
  backups: number
  prunes: number
  snapshotsCompared: number
  filesCompared: number
}

export interface SoakOptions {
  readonly seed: number
  /** Rounds of concurrent operations; each ends with a check and a full restore of every snapshot. */
  readonly cycles: number
  /** Empty folder. */
  readonly folder: string
  readonly repository: string
  /** Credentials of the storage. */
  readonly env: Readonly<Record<string, string>>
  readonly onCycle?: (counts: SoakCounts) => void
}

interface Ended {
  readonly code: number | null
  readonly killed: boolean
  readonly output: string
}

/** What the sources of each machine looked like when a backup may have read them. */
type History = Map<string, Set<string>>

/**
 * Several machines back up, forget and prune in one repository at once, each operation a real process that may be killed at any time.
 * After every cycle the repository must check out to the last byte, and every snapshot must restore to what its source was.
 * Errors: a lost or changed byte, an unexpected exit code; the message has the seed.
 */
export async function soakMachines(options: SoakOptions): Promise<SoakCounts> {
  const soak = new Soak(options)
  await soak.initialise()
  for (let cycle = 0; cycle < options.cycles; cycle++) {
    await soak.cycle()
    options.onCycle?.(soak.counts)
  }
  return soak.counts
}

const machines = ['alpha', 'beta', 'gamma'] as const

class Soak {
  readonly counts: SoakCounts = { cycles: 0, operations: 0, kills: 0, backups: 0, prunes: 0, snapshotsCompared: 0, filesCompared: 0 }
  readonly #options: SoakOptions
  readonly #random: SeededRandom
  readonly #history: History = new Map()

  constructor(options: SoakOptions) {
    this.#options = options
    this.#random = new SeededRandom(options.seed)
  }

  async initialise(): Promise<void> {
    for (const machine of machines) {
      mkdirSync(this.#source(machine), { recursive: true })
      makeOddTree(join(this.#source(machine), 'odd'), { levels: 100, crowd: 200 })
    }
    await this.#expectCode(await this.#run('alpha', ['init']), [0])
  }

  async cycle(): Promise<void> {
    this.counts.cycles++
    for (const machine of machines) this.#change(machine)
    const operations = Array.from({ length: 2 + this.#random.below(3) }, () => this.#operation())
    await Promise.all(operations)
    await this.#expectCode(await this.#run('alpha', ['check', '--read-data']), [0, 2])
    await this.#compareAll()
  }

  /** Adds, edits and removes some files; what several machines have in common is deduplicated. */
  #change(machine: string): void {
    const source = this.#source(machine)
    for (let count = 0; count < 12; count++) {
      const name = `file-${this.#random.below(40)}`
      if (this.#random.below(4) === 0) rmSync(join(source, name), { force: true })
      else writeFileSync(join(source, name), new SeededRandom(this.#random.below(60)).bytes(1000 + this.#random.below(400_000)))
    }
    const seen = this.#history.get(machine) ?? new Set()
    this.#history.set(machine, seen.add(describeOddTree(source).join('\n')))
  }

  async #operation(): Promise<void> {
    const machine = this.#random.pick(machines)
    const kind = this.#random.pick(['backup', 'backup', 'backup', 'forget', 'prune', 'prune'] as const)
    const killAfterMs = this.#random.below(2) === 0 ? 50 + this.#random.below(1500) : undefined
    this.counts.operations++
    if (kind === 'backup') {
      this.counts.backups++
      // 100: another run of the same job on this machine, or everything pruned too often.
      await this.#expectCode(await this.#run(machine, ['backup', this.#source(machine), '--job', machine], killAfterMs), [0, 1, 2, 50, 100])
    } else if (kind === 'forget') {
      await this.#expectCode(await this.#run(machine, ['forget', '--keep-last', '3'], killAfterMs), [0, 1, 2])
    } else {
      this.counts.prunes++
      await this.#expectCode(await this.#run(machine, ['prune', '--minimum-age', '0', '--expire-after', '2s'], killAfterMs), [0, 1, 2])
    }
  }

  async #compareAll(): Promise<void> {
    const listed = await this.#run('alpha', ['snapshots', '--json'])
    await this.#expectCode(listed, [0])
    for (const id of snapshotIds(listed.output)) {
      const target = join(this.#options.folder, 'restored')
      await this.#expectCode(await this.#run('beta', ['restore', id, '--to', target]), [0])
      const machine = id.slice(0, id.indexOf('@'))
      const tree = describeOddTree(join(target, 'source'))
      if (!this.#history.get(machine)?.has(tree.join('\n'))) throw this.#failure(`snapshot ${id} restores to something its source never was`)
      this.counts.snapshotsCompared++
      this.counts.filesCompared += tree.length
      removeIfThere(target)
    }
  }

  #source(machine: string): string {
    return join(this.#options.folder, machine, 'source')
  }

  async #run(machine: string, args: readonly string[], killAfterMs?: number): Promise<Ended> {
    const env = {
      ...process.env, ...this.#options.env, HOLDFAST_REPO: this.#options.repository, HOLDFAST_PASSWORD: 'soak',
      HOLDFAST_HOME: join(this.#options.folder, machine, 'home'),
    }
    const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => { child.kill('SIGKILL') }, killAfterMs)
    const [code, signal] = await once(child, 'close') as [number | null, string | null]
    clearTimeout(timer)
    if (signal === 'SIGKILL') this.counts.kills++
    return { code, killed: signal === 'SIGKILL', output: Buffer.concat(output).toString() }
  }

  async #expectCode(ended: Ended, codes: readonly number[]): Promise<void> {
    if (ended.killed || (ended.code !== null && codes.includes(ended.code))) return
    throw this.#failure(`exit code ${ended.code}:\n${ended.output.slice(-3000)}`)
  }

  #failure(what: string): Error {
    return new Error(`seed ${this.#options.seed}, cycle ${this.counts.cycles}: ${what}`)
  }
}

/** Ids out of `snapshots --json`, whose lines of type `snapshot` carry them. */
function snapshotIds(output: string): string[] {
  return output.split('\n').flatMap((line) => {
    const id = /"id":"([^"]+@\d+[^"]*)"/g
    return [...line.matchAll(id)].map((match) => match[1] ?? '')
  }).filter((id, at, all) => id !== '' && all.indexOf(id) === at)
}
