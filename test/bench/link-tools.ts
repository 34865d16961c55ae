import type { Command } from './measure.ts'

/** Where a tool's repository is, behind the link. */
export interface LinkPlace {
  readonly endpoint: string
  readonly bucket: string
  readonly environment: Readonly<Record<string, string>>
  /** Of the tool alone: state and caches. */
  readonly home: string
}

/** A backup program as this benchmark drives it: so many connections, to S3. */
export interface LinkTool {
  readonly name: string
  init(place: LinkPlace): Command
  backup(place: LinkPlace, source: string, connections: number): Command
  restore(place: LinkPlace, target: string, connections: number): Command
}

const password = 'correct horse battery staple'

/** @param cli ours, built: `dist/engine/cli.js` of this clone, or of another one. */
export function holdfastOnLink(name: string, cli: string): LinkTool {
  const command = ({ endpoint, bucket, environment, home }: LinkPlace, args: readonly string[]): Command => ({
    program: process.execPath, args: [cli, ...args, '--json'], accept: [1],
    env: {
      ...environment, HOLDFAST_REPO: `s3://${bucket}/${name}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`, HOLDFAST_PASSWORD: password,
      HOLDFAST_HOME: `${home}/state`,
    },
  })
  return {
    name,
    init: (place) => command(place, ['init']),
    backup: (place, source, connections) => command(place, ['backup', source, '--job', 'bench', '--concurrency', String(connections)]),
    restore: (place, target, connections) => command(place, ['restore', 'latest', '--to', target, '--concurrency', String(connections)]),
  }
}

export function resticOnLink(name: string, program: string): LinkTool {
  const command = ({ endpoint, bucket, environment, home }: LinkPlace, args: readonly string[], connections = 5): Command => ({
    program, args: ['--quiet', '-o', `s3.connections=${connections}`, ...args],
    env: { ...environment, RESTIC_REPOSITORY: `s3:${endpoint}/${bucket}/${name}`, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: `${home}/cache` },
  })
  return {
    name,
    init: (place) => command(place, ['init', '--repository-version', '2']),
    backup: (place, source, connections) => command(place, ['backup', source], connections),
    restore: (place, target, connections) => command(place, ['restore', 'latest', '--target', target], connections),
  }
}
