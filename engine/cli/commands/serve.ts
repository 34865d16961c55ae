import { InvalidArgumentError, type Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import type { Ending, Invocation } from '../execute.ts'
import { formatPlural } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseHost, parsePort, parseSnapshot } from '../values.ts'

const mostSnapshots = 1000

export function addServe(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('serve', 'show snapshots to file managers and other programs of this machine, to read, until Ctrl-C', ['serve', 'serve latest:photos', 'serve photos@12 photos@13 --port 8017'])
    .argument('[snapshots...]', 'JOB@REVISION, latest, latest:JOB or latest:HOST/JOB (default: all, and those that come)', collectSnapshots)
    .option('--port <number>', 'on 127.0.0.1 (default: any that is free)', parsePort)
    .option('--host <name>', 'machine whose snapshots `latest` means (default: this one; else the only one there is)', parseHost)
    .addHelpText('after', help)
  command.action(async (snapshots: readonly string[], options: CommonOptions & { readonly port?: number }) => {
    await builder.run(options, (invocation) => serve(invocation, snapshots, options.port ?? 0))
  })
  program.addCommand(command)
}

const help = `
Speaks WebDAV on 127.0.0.1 alone, to whoever has the password, which is made for this run and printed once. Each snapshot is a folder, HOST JOB/DATE.
Nothing can be written, and nothing is unpacked to a disk. Links, FIFOs and devices are not shown: restore brings them back. Names that are not UTF-8, or
hold control characters, are shown as \`ls\` shows them.

Open it with:
  GNOME, Xfce, MATE  gio mount dav://holdfast@127.0.0.1:PORT/     (asks for the password), or the address in the file manager
  KDE                webdav://holdfast@127.0.0.1:PORT/            in Dolphin
  macOS              http://127.0.0.1:PORT/                       in Finder, Go, Connect to Server
  anywhere           rclone mount or rclone copy, as a WebDAV remote`

function collectSnapshots(text: string, before: readonly string[] = []): readonly string[] {
  if (before.length === mostSnapshots) throw new InvalidArgumentError(`Give at most ${mostSnapshots} snapshots; without any, all are shown.`)
  return [...before, parseSnapshot(text)]
}

async function serve({ settings, context, output }: Invocation, snapshots: readonly string[], port: number): Promise<Ending> {
  const { serveFiles } = await import('../../commands/serve.ts')
  const summary = await serveFiles({ ...settings, type: 'serve', snapshots, port }, context, (door) => {
    const here = `127.0.0.1:${door.port}/`
    output.record(
      { type: 'serving', address: `http://${here}`, user: door.user, password: door.password, snapshots: door.snapshots },
      `${formatPlural(door.snapshots, 'snapshot')} can be read until Ctrl-C:`,
      `  address   http://${here} (in a file manager: dav://${door.user}@${here})`,
      `  user      ${door.user}`,
      `  password  ${door.password}`,
    )
  })
  return { exitCode: exitCodes.success, json: { ...summary }, text: [] }
}
