import { readAddress } from '../../engine/protocol/providers/address.ts'
import type { AddressReading } from '../api/contract.ts'

/** What an address means that somebody copied from a recovery kit. Here and not in the window: old browsers read hosts of web addresses only. */
export function readingOf(typed: string): AddressReading {
  const address = typed.trim()
  const path = /^file:\/\//i.test(address) ? decoded(address.slice('file://'.length)) : address
  if (path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path)) return { type: 'folder', path }
  const read = readAddress(address)
  switch (read.type) {
    case 'provider': return { type: 'provider', provider: read.provider.id, values: read.values }
    case 'wrong': return { type: 'wrong', words: read.words }
    case 'other': return { type: 'unknown' }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
