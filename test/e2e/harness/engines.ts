import { readdirSync, readFileSync } from 'node:fs'
import type { RunningApp } from './app.ts'

/** A process as the kernel shows it. */
export interface SeenProcess {
  readonly pid: number
  readonly commandLine: readonly string[]
  /** As it was when the process started. */
  readonly environment: readonly string[]
}

/** The engine processes of an app, oldest first: its children that run dist/engine. */
export function enginesOf(app: RunningApp): readonly SeenProcess[] {
  return childrenOf(app.electron.process().pid).filter(({ commandLine }) => commandLine.some((word) => word.endsWith('/engine/engine.js')))
}

/** A process and everything below it; nothing once it has ended. */
export function processTree(pid: number | undefined): readonly SeenProcess[] {
  const top = pid === undefined ? undefined : look(pid)
  return [...(top ? [top] : []), ...descendantsOf(pid)]
}

/** Bytes of memory that belong to a process alone, plus its part of what it shares. */
export function memoryOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) * 1024
}

/** The processes of a process group that have not ended. Playwright starts an app in a group of its own, and all that the app starts stays in it. */
export function groupOf(group: number): readonly number[] {
  return pids().filter((pid) => {
    const [state, , pgrp] = statOf(pid) ?? []
    return Number(pgrp) === group && state !== 'Z'
  })
}

function descendantsOf(pid: number | undefined): readonly SeenProcess[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child.pid)])
}

function childrenOf(parent: number | undefined): readonly SeenProcess[] {
  return pids().filter((pid) => parentOf(pid) === parent).sort((a, b) => a - b).flatMap((pid) => look(pid) ?? [])
}

function pids(): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
}

function parentOf(pid: number): number | undefined {
  const fields = statOf(pid)
  return fields && Number(fields[1])
}

/** State, parent, process group and so on: proc(5), from the third field on. */
function statOf(pid: number): readonly string[] | undefined {
  return read(pid, 'stat')?.replace(/^.*\) /s, '').split(' ')
}

function look(pid: number): SeenProcess | undefined {
  const commandLine = read(pid, 'cmdline')
  const environment = read(pid, 'environ')
  if (commandLine === undefined || environment === undefined) return undefined
  // Chromium rewrites the command lines of its helpers, with blanks.
  return { pid, commandLine: commandLine.split(/[\0 ]/), environment: environment.split('\0') }
}

/** Undefined once the process is gone. */
function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
