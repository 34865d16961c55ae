import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { SeededRandom } from '../bench/random.ts'
import { World } from '../fixtures/world.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'
import { never } from './template.ts'

const cli = fileURLToPath(new URL('../../engine/cli.ts', import.meta.url))
const destination = fileURLToPath(new URL('test-destination.ts', import.meta.url))
const reporter = new URL('report-memory.ts', import.meta.url).href

export type CommandName = 'backup' | 'snapshots' | 'check' | 'restore' | 'prune' | 'init' | 'test'

/** How a real process ended. */
export interface Measured {
  readonly code: number | null
  readonly text: string
  readonly ms: number
  readonly peakBytes: number
}

/** A repository as objects in memory, and a machine to run commands against whoever serves them. */
export class Victim implements Disposable {
  readonly objects: ReadonlyMap<string, Buffer>
  readonly #world: World

  private constructor(world: World, objects: ReadonlyMap<string, Buffer>) {
    this.#world = world
    this.objects = objects
  }

  static async make(): Promise<Victim> {
    const world = new World()
    await initCheaply(world.repository, world.password)
    const random = new SeededRandom(7)
    for (let index = 0; index < 5; index++) writeFileSync(join(world.source, `file-${index}`), random.bytes(50_000 + index))
    await world.backup()
    // Something to send for each backup; more than the buffers of a connection hold.
    writeFileSync(join(world.source, 'large'), random.bytes(24 * 1024 * 1024))
    const objects = new Map<string, Buffer>()
    await using backend = await openBackend(world.repository, { credentials: fixedCredentials({}), signal: never })
    for await (const { name } of backend.list('', never)) objects.set(name, Buffer.from(await backend.get(name, 'all', never)))
    return new Victim(world, objects)
  }

  [Symbol.dispose](): void {
    this.#world[Symbol.dispose]()
  }

  /** Runs one command as a process of its own, on a machine that has never seen the repository. */
  async run(command: CommandName, url: string, environment: NodeJS.ProcessEnv = {}): Promise<Measured> {
    const folder = mkdtempSync(join(this.#world.folder, 'run-'))
    const peak = join(folder, 'peak')
    const args = command === 'test' ? [destination] : [cli, ...this.#arguments(command, folder), '--patience', '0']
    const startedMs = performance.now()
    const child = spawn(process.execPath, ['--import', reporter, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'], HOME: '/nonexistent', HOLDFAST_REPO: url, HOLDFAST_HOME: join(folder, 'home'), HOLDFAST_PASSWORD: this.#world.password,
        AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', HOLDFAST_TEST_PEAK: peak, ...environment,
      },
    })
    let text = ''
    child.stdout.on('data', (data: Buffer) => { text += data.toString() })
    child.stderr.on('data', (data: Buffer) => { text += data.toString() })
    // What hangs for good must not hold the table up; the time tells.
    const killer = setTimeout(() => { child.kill('SIGKILL') }, 90_000)
    const code = await new Promise<number | null>((resolve) => { child.on('close', resolve) })
    clearTimeout(killer)
    const ms = performance.now() - startedMs
    const peakBytes = code === null ? Infinity : Number(readFileSync(peak, 'utf8')) * 1024
    rmSync(folder, { recursive: true, force: true })
    return { code, text, ms, peakBytes }
  }

  #arguments(command: Exclude<CommandName, 'test'>, folder: string): readonly string[] {
    switch (command) {
      case 'backup': return ['backup', this.#world.source, '--job', 'photos']
      case 'restore': return ['restore', 'latest', '--to', join(folder, 'target')]
      case 'check': return ['check', '--read-data']
      default: return [command]
    }
  }
}
