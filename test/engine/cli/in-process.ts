import * as v from 'valibot'
import { vi } from 'vitest'
import { runCommandLine } from '../../../engine/cli/main.ts'
import { StandardOutput } from '../../../engine/cli/output.ts'
import { password, type TestFolder } from '../small-repository.ts'
import type { CliResult } from './run-cli.ts'

const out = new StandardOutput()
const event = v.record(v.string(), v.unknown())

/** As runCli, without a process of its own: a table of many rows is over in seconds. One call at a time. */
export async function callCli(args: readonly string[], { folder, environment }: { readonly folder: TestFolder; readonly environment?: Readonly<Record<string, string | undefined>> }): Promise<CliResult> {
  const before = { ...process.env }
  const written = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) => vi.spyOn(process[name], 'write').mockImplementation((text, ...rest) => {
    written[name] += String(text)
    const done = rest.find((item) => typeof item === 'function')
    done?.()
    return true
  }))
  Object.assign(process.env, { HOLDFAST_REPO: folder.repository, HOLDFAST_HOME: folder.home, HOLDFAST_PASSWORD: password })
  for (const [name, value] of Object.entries(environment ?? {})) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  try {
    const code = await runCommandLine(args, out)
    const lines = args.includes('--json') ? written.stdout.trim().split('\n').filter((line) => line !== '') : []
    return { code, ...written, events: lines.map((line) => v.parse(event, JSON.parse(line))) }
  } finally {
    for (const spy of spies) spy.mockRestore()
    for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, before)
  }
}
