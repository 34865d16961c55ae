import type { AddressValues } from '../../protocol/providers/description.ts'
import { bytesOf } from '../../protocol/providers/values.ts'

export interface S3Address {
  readonly bucket: string
  /** Empty, or a key prefix that ends in `/`. */
  readonly prefix: string
  /** Absent: AWS itself. */
  readonly endpoint?: string
  readonly region: string
  readonly pathStyle: boolean
  /** Files larger than this are sent in parts of this size, in bytes. Absent: the backend decides. */
  readonly partBytes?: number
}

/** Of checked values. Most servers know buckets in the path only. */
export function s3AddressOf({ bucket = '', prefix = '', endpoint, region = 'us-east-1', pathStyle, partSize }: AddressValues): S3Address {
  return {
    bucket, prefix: prefix === '' ? '' : `${prefix}/`, region,
    pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === 'true',
    ...(endpoint === undefined ? {} : { endpoint }), ...(partSize === undefined ? {} : { partBytes: bytesOf(partSize) }),
  }
}
