import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Destination, JobConfig } from '../api/contract.ts'
import { providerById, reachOf } from '../api/providers.ts'
import { assertNever } from '../system/never.ts'

/** A disk or host that has not answered after this time is away. */
const answerMs = 5_000

/** Whether what a backup needs seems to be there: one of its sources, and its destination. Cheap; sends nothing. Never rejects. */
export async function isWithinReach({ sources, destination }: Pick<JobConfig, 'sources' | 'destination'>): Promise<boolean> {
  const found = await Promise.all(sources.map(exists))
  return found.includes(true) && isDestinationThere(destination)
}

/** As isWithinReach, of the destination alone. */
export function isDestinationThere(destination: Destination): Promise<boolean> {
  switch (destination.type) {
    case 'folder':
      return exists(destination.path)
    case 'provider': {
      const provider = providerById(destination.provider)
      const place = provider && reachOf(provider, destination.values)
      // What cannot be asked cheaply is found out by the run.
      return place ? answers(place.host, place.port) : Promise.resolve(true)
    }
    default:
      return assertNever(destination)
  }
}

/** Whether something is there. A network drive that hangs answers never: then it is not. Never rejects. */
export function exists(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => { resolve(false) }, answerMs)
    const answer = (isThere: boolean): void => {
      clearTimeout(timer)
      resolve(isThere)
    }
    stat(path).then(() => { answer(true) }, () => { answer(false) })
  })
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: answerMs })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => { end(true) })
    socket.once('timeout', () => { end(false) })
    socket.once('error', () => { end(false) })
  })
}
