import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { changeOnePercent, corpora, insertInTheMiddle, makeCorpus } from './corpus.ts'
import type { CorpusName } from './corpus.ts'
import { measure } from './measure.ts'
import type { Command } from './measure.ts'
import { report } from './report.ts'
import type { Sample } from './report.ts'
import { standardPrograms, toolsOf } from './tools.ts'
import type { Tool } from './tools.ts'

const usage = `npm run bench -- [--corpus A,B,C] [--scale 1] [--rounds 3] [--tools holdfast,restic,borg,borg-zstd] [--peer NAME=PATH]… [--work DIR]
Measures Holdfast side by side with its peers: the tools take turns within each step, and the order rotates by round. Tools: holdfast, restic,
kopia, borg, borg-zstd, and before: an older build of ours (--peer before=/other/clone/dist/engine/cli.js). --peer names the program of a tool,
for a version that is not the one on the PATH.`

const standardTools = 'holdfast,restic,borg,borg-zstd'

interface Plan {
  readonly corpora: readonly CorpusName[]
  readonly scale: number
  readonly rounds: number
  readonly tools: readonly Tool[]
  readonly work: string
}

async function main(): Promise<void> {
  const plan = readPlan()
  prepareMachine()
  const samples: Sample[] = []
  for (const corpus of plan.corpora) {
    console.log(`corpus ${corpus}: ${corpora[corpus]} (scale ${plan.scale})`)
    for (let round = 0; round < plan.rounds; round++) samples.push(...await runRound(plan, corpus, round))
  }
  rmSync(plan.work, { recursive: true, force: true })
  const table = report(samples, 'holdfast')
  mkdirSync('artifacts', { recursive: true })
  writeFileSync('artifacts/bench.md', `${table}\n`)
  console.log(table)
}

function readPlan(): Plan {
  const { values } = parseArgs({ options: {
    corpus: { type: 'string', default: 'A,B,C' }, scale: { type: 'string', default: '1' }, rounds: { type: 'string', default: '3' },
    tools: { type: 'string', default: standardTools }, peer: { type: 'string', multiple: true, default: [] }, work: { type: 'string' }, help: { type: 'boolean', default: false },
  } })
  const names = values.corpus.split(',').filter((name): name is CorpusName => name in corpora)
  const peers = Object.fromEntries(values.peer.map((peer) => [peer.slice(0, peer.indexOf('=')), peer.slice(peer.indexOf('=') + 1)]))
  const tools = toolsOf({ ...standardPrograms, ...peers })
  const chosen = values.tools.split(',').map((name) => tools[name])
  if (values.help || names.length === 0 || chosen.includes(undefined)) {
    console.log(usage)
    process.exit(values.help ? 0 : 2)
  }
  const base = values.work ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
  return {
    corpora: names, scale: Number(values.scale), rounds: Number(values.rounds), work: mkdtempSync(join(base, 'holdfast-bench-')),
    tools: chosen.filter((tool) => tool !== undefined),
  }
}

/** Debian's restic, borg and GNU time, and a fresh build of ours. */
function prepareMachine(): void {
  const missing = [['restic', 'restic'], ['borg', 'borgbackup'], ['time', 'time']].filter(([program = '']) => !existsSync(`/usr/bin/${program}`))
  if (missing.length > 0) execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...missing.map(([, name = '']) => name)], { stdio: 'inherit' })
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
}

async function runRound(plan: Plan, corpus: CorpusName, round: number): Promise<Sample[]> {
  const folder = join(plan.work, `${corpus}-${round}`)
  const source = join(folder, 'source')
  makeCorpus(corpus, source, plan.scale)
  const order = plan.tools.map((_, at) => plan.tools[(at + round) % plan.tools.length]).filter((tool) => tool !== undefined)
  const home = (tool: Tool): string => join(folder, tool.name.replaceAll(/\W/g, '-'))
  const samples: Sample[] = []
  const step = async (name: string, command: (tool: Tool) => Command): Promise<void> => {
    for (const tool of order) {
      const measured = await measure(command(tool))
      samples.push({ corpus, step: name, tool: tool.name, storedMegabytes: folderMegabytes(tool.repository(home(tool))), ...measured })
      console.log(`${corpus} round ${round + 1} ${name.padEnd(9)} ${tool.name.padEnd(12)} ${measured.wallSeconds.toFixed(2)} s, CPU ${measured.cpuSeconds.toFixed(2)} s, ${measured.peakMegabytes.toFixed(0)} MB, others ${measured.othersCores.toFixed(2)} cores`)
    }
  }
  for (const tool of order) {
    mkdirSync(home(tool), { recursive: true })
    await measure(tool.init(home(tool)))
  }
  await step('first', (tool) => tool.backup(home(tool), source))
  await step('no change', (tool) => tool.backup(home(tool), source))
  if (corpus === 'C') insertInTheMiddle(source, round + 1)
  else changeOnePercent(source, round + 1)
  await step('changed', (tool) => tool.backup(home(tool), source))
  await step('restore', (tool) => tool.restore(home(tool), join(folder, 'restored', tool.name.replaceAll(/\W/g, '-'))))
  rmSync(folder, { recursive: true })
  return samples
}

function folderMegabytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files.reduce((total, name) => total + statSync(join(folder, name)).size, 0) / 1e6
}

await main()
