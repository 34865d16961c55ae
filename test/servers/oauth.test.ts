import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { appKey, appSecret, OAuthServer } from './oauth.ts'

const verifier = 'v'.repeat(43)
const challenge = createHash('sha256').update(verifier).digest('base64url')

const paths = {
  dropbox: { authorize: '/oauth2/authorize', token: '/oauth2/token', redirect: 'http://localhost:17417/' },
  google: { authorize: '/o/oauth2/v2/auth', token: '/token', redirect: 'http://127.0.0.1:5000' },
  microsoft: { authorize: '/common/oauth2/v2.0/authorize', token: '/common/oauth2/v2.0/token', redirect: 'http://localhost:5000' },
  box: { authorize: '/api/oauth2/authorize', token: '/oauth2/token', redirect: 'http://127.0.0.1:17417/' },
} as const

type Kind = keyof typeof paths

/** Where the consent page leads. */
async function consent(server: OAuthServer, kind: Kind, changes: Readonly<Record<string, string>> = {}): Promise<URL | number> {
  const query = new URLSearchParams({ client_id: appKey, response_type: 'code', redirect_uri: paths[kind].redirect, state: 's', code_challenge: challenge, code_challenge_method: 'S256', ...changes })
  const reply = await fetch(`${server.origin}/${kind}${paths[kind].authorize}?${query.toString()}`, { redirect: 'manual' })
  return reply.status === 302 ? new URL(reply.headers.get('location') ?? '') : reply.status
}

async function token(server: OAuthServer, kind: Kind, form: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const body = new URLSearchParams({ client_id: appKey, client_secret: appSecret, redirect_uri: paths[kind].redirect, code_verifier: verifier, ...form })
  return (await (await fetch(`${server.origin}/${kind}${paths[kind].token}`, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).json()) as Record<string, string>
}

async function codeOf(server: OAuthServer, kind: Kind): Promise<string> {
  const back = await consent(server, kind)
  return back instanceof URL ? (back.searchParams.get('code') ?? '') : ''
}

describe('the stand-in of an authorization server', () => {
  it.each([
    ['another client', 'google', { client_id: 'x' }],
    ['a redirect that is not registered', 'google', { redirect_uri: 'http://localhost:5000' }],
    ['another port where it counts', 'dropbox', { redirect_uri: 'http://localhost:17418/' }],
    ['localhost where 127.0.0.1 is registered', 'box', { redirect_uri: 'http://localhost:17417/' }],
    ['no challenge', 'microsoft', { code_challenge: '' }],
    ['a plain challenge', 'dropbox', { code_challenge_method: 'plain' }],
  ] as const)('shows no consent for %s', async (_what, kind, changes) => {
    await using server = await OAuthServer.start()
    expect(await consent(server, kind, changes)).toBe(400)
  })

  it('gives tokens for a code once, in time, to who has the verifier, for the same redirect', async () => {
    await using server = await OAuthServer.start()
    const grant = { grant_type: 'authorization_code' }
    const code = await codeOf(server, 'google')
    expect(await token(server, 'google', { ...grant, code })).toMatchObject({ expires_in: 3599, scope: 'https://www.googleapis.com/auth/drive.file' })
    for (const form of [{ code }, { code: await codeOf(server, 'google'), code_verifier: 'w'.repeat(43) }, { code: await codeOf(server, 'google'), redirect_uri: 'http://127.0.0.1:5001' }]) {
      expect(await token(server, 'google', { ...grant, ...form })).toMatchObject({ error: 'invalid_grant' })
    }
    expect(await token(server, 'google', { ...grant, code: await codeOf(server, 'google'), client_secret: 'x' })).toMatchObject({ error: 'invalid_client' })
    const late = await codeOf(server, 'google')
    server.aheadMs = 31_000
    expect(await token(server, 'google', { ...grant, code: late })).toMatchObject({ error: 'invalid_grant' })
  })

  it.each([['dropbox', 'stays'], ['google', 'stays'], ['microsoft', 'again'], ['box', 'once']] as const)('renews at %s: the refresh token %s', async (kind, way) => {
    await using server = await OAuthServer.start()
    const { refresh_token: first = '' } = await token(server, kind, { grant_type: 'authorization_code', code: await codeOf(server, kind) })
    const renewal = { grant_type: 'refresh_token', refresh_token: first }
    const { refresh_token: second, access_token: access = '' } = await token(server, kind, renewal)
    expect(second === undefined).toBe(way === 'stays')
    expect(server.personOf(access)).toEqual(server.person)
    expect('error' in (await token(server, kind, renewal))).toBe(way === 'once')
    server.withdraw()
    expect(server.personOf(access)).toBeUndefined()
    expect(await token(server, kind, { grant_type: 'refresh_token', refresh_token: second ?? first })).toMatchObject({ error: 'invalid_grant' })
  })
})
