import { readAddress } from '../../../../engine/protocol/providers/address.ts'
import type { AddressValues, ProviderDescription } from '../../../../engine/protocol/providers/description.ts'

/** The values of a provider's example: what a person would type. */
export function exampleValues(provider: ProviderDescription): AddressValues {
  const read = readAddress(provider.example.replaceAll('…', 'x'))
  if (read.type !== 'provider') throw new Error(`${provider.id}: ${provider.example} is not read`)
  return read.values
}
