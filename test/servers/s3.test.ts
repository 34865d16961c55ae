import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { freshBucket, startS3 } from './s3.ts'

beforeAll(startS3)

test('every caller gets an empty bucket on one server, which keeps what is put and creates exclusively', async () => {
  const [one, other] = await Promise.all([freshBucket(), freshBucket()])
  expect(other.endpoint).toBe(one.endpoint)
  expect(other.bucket).not.toBe(one.bucket)

  const put = (): Promise<unknown> =>
    one.client.send(new PutObjectCommand({ Bucket: one.bucket, Key: 'a', Body: 'text', IfNoneMatch: '*' }))
  await put()
  await expect(put()).rejects.toMatchObject({ name: 'PreconditionFailed' })
  const { Body: body } = await one.client.send(new GetObjectCommand({ Bucket: one.bucket, Key: 'a' }))
  expect(await body?.transformToString()).toBe('text')
})
