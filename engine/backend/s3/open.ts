import type { AddressValues } from '../../protocol/providers/description.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { s3AddressOf } from './address.ts'
import { openS3 } from './s3.ts'

export async function open(values: AddressValues, options: OpenOptions): Promise<StorageBackend> {
  return openS3(s3AddressOf(values), { ...options, secrets: await options.credentials.current(options.signal) })
}
