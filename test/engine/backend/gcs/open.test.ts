import { expect, test } from 'vitest'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'

test('without a key, that is what is said', async () => {
  const opening = openBackend('gs://some-bucket', { credentials: fixedCredentials({}), signal: new AbortController().signal })
  await expect(opening).rejects.toMatchObject({ code: 'credentials', message: expect.stringContaining('key of a service account is missing') as string, data: { advice: expect.stringContaining('HOLDFAST_GCS_KEY') as string } })
})
