import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import type { ForgedEntry } from '../../../faults/forger.ts'
import { Forger } from '../../../faults/forger.ts'
import { initCheaply } from '../../../fixtures/cheap-repository.ts'
import { World } from '../../../fixtures/world.ts'

/** A repository with one snapshot, made without a source: of entries that no file system here could be brought to hold. */
export async function forgedWorld(entries: (forger: Forger) => readonly ForgedEntry[]): Promise<World> {
  const world = new World()
  await initCheaply(world.repository, world.password)
  const forger = await Forger.at(world)
  const root = forger.folder(entries(forger))
  await forger.store()
  await forger.snapshot(root)
  return world
}

const ordinaryUser = 65_534

/** The world belongs to an ordinary user from here on. */
export function giveAway(world: World): void {
  chmodSync(world.folder, 0o755)
  execFileSync('chown', ['-R', `${String(ordinaryUser)}:${String(ordinaryUser)}`, world.folder])
}

interface Ended {
  readonly exitCode: number | null
  /** Everything that `--json` told, as it told it. */
  readonly output: string
}

/** Restores as an ordinary user does, in a process of their own. */
export function restoreAsUser(world: World, target: string, ...more: readonly string[]): Ended {
  const cli = join(import.meta.dirname, '../../../../engine/cli.ts')
  const id = String(ordinaryUser)
  const env = { PATH: process.env['PATH'], HOLDFAST_REPO: world.repository, HOLDFAST_PASSWORD: world.password, HOLDFAST_HOME: world.home }
  const user = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups']
  const { status, stdout, stderr } = spawnSync('/usr/bin/env', [...user, process.execPath, cli, 'restore', 'latest', '--to', target, '--json', ...more], { env, encoding: 'utf8' })
  return { exitCode: status, output: `${stdout}${stderr}` }
}
