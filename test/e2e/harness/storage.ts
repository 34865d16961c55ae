import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { FaultProxy } from '../../faults/proxy.ts'
import { freshBucket } from '../../servers/s3.ts'
import type { DestinationInput } from './user.ts'

/** An S3 storage whose uploads of packs a test can hold, so that "in the middle" is certain and not a matter of luck. */
export interface TestStorage extends AsyncDisposable {
  readonly destination: Extract<DestinationInput, { type: 's3' }>
  /** From now on, all uploads of packs but the first `allowed` stand still. */
  holdPacks(allowed?: number): void
  /** What is held goes on, and nothing more is held. */
  release(): void
  /** How many uploads of packs stand still. */
  readonly held: number
  /** Sizes of the packs that have arrived. */
  packs(): Promise<readonly number[]>
  /** All that went to the storage and lies there, by name: requests with their headers, and objects. */
  texts(): Promise<ReadonlyMap<string, string>>
}

export async function openStorage(): Promise<TestStorage> {
  const bucket = await freshBucket()
  const proxy = await FaultProxy.start(bucket.endpoint)
  const prefix = 'mine'
  let gate = Promise.withResolvers<void>()
  let held = 0
  return {
    destination: { type: 's3', endpoint: proxy.endpoint, bucket: bucket.bucket, prefix, ...bucket.secrets },
    holdPacks(allowed = 0) {
      let left = allowed
      proxy.choose = ({ method, url }) => {
        if (method !== 'PUT' || !url.includes('/packs/') || left-- > 0) return undefined
        held += 1
        return { type: 'hold', until: gate.promise }
      }
    },
    release() {
      proxy.choose = () => undefined
      gate.resolve()
      gate = Promise.withResolvers()
      held = 0
    },
    get held() {
      return held
    },
    async packs() {
      const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: `${prefix}/packs/` }))
      return Contents.map(({ Size = 0 }) => Size)
    },
    async texts() {
      const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket }))
      const objects = await Promise.all(Contents.map(async ({ Key = '' }): Promise<[string, string]> => {
        const { Body } = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key }))
        return [`object ${Key}`, `${Key}\n${(await Body?.transformToString('latin1')) ?? ''}`]
      }))
      return new Map([['the requests', JSON.stringify(proxy.requests)], ...objects])
    },
    async [Symbol.asyncDispose]() {
      gate.resolve()
      await proxy[Symbol.asyncDispose]()
    },
  }
}
