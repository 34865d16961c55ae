import { expect, test } from 'vitest'
import { Expectation, type ExpectationOptions } from '../../../../engine/commands/backup/expectation.ts'
import type { SurveyTotals } from '../../../../engine/source/survey.ts'

interface FakeSurvey extends Disposable {
  totals: SurveyTotals | undefined
  ended: boolean
}

function fakeSurvey(): FakeSurvey {
  const survey: FakeSurvey = { totals: undefined, ended: false, [Symbol.dispose]: () => { survey.ended = true } }
  return survey
}

function make(options: Partial<ExpectationOptions> = {}): { expectation: Expectation; surveys: FakeSurvey[] } {
  const surveys: FakeSurvey[] = []
  const survey = (): FakeSurvey => {
    const begun = fakeSurvey()
    surveys.push(begun)
    return begun
  }
  return { expectation: new Expectation({ lastBytes: undefined, interrupted: undefined, survey, ...options }), surveys }
}

test('a short run never counts ahead', () => {
  const { expectation, surveys } = make()
  expectation.advance(2999, 1e9)
  expectation.end()
  expectation.advance(60_000, 1e9)
  expect(surveys).toEqual([])
  expect(expectation.totalBytes(1e9)).toBe(1e9)
})

test('a long first run counts ahead, once, and knows the whole when that is done', () => {
  const { expectation, surveys } = make()
  expectation.advance(3000, 10)
  expectation.advance(3250, 20)
  expect(surveys).toHaveLength(1)
  const [survey] = surveys
  if (!survey) throw new Error('no survey')
  survey.totals = { files: 3, bytes: 70, denseBytes: 0, otherBytes: 70, complete: false }
  expect(expectation.totalBytes(20)).toBeUndefined()
  expect(expectation.counted).toMatchObject({ files: 3, bytes: 70 })
  survey.totals = { files: 5, bytes: 100, denseBytes: 0, otherBytes: 100, complete: true }
  expect(expectation.totalBytes(20)).toBe(100)
  expectation.end()
  expect(survey.ended).toBe(true)
  expect(expectation.totalBytes(90)).toBe(90)
  expect(expectation.counted).toEqual({ files: 0, bytes: 0 })
})

test('after a snapshot its size is what is expected, until much more is found', () => {
  const { expectation, surveys } = make({ lastBytes: 100 })
  expectation.advance(5000, 119)
  expect(surveys).toEqual([])
  expect(expectation.totalBytes(40)).toBe(100)
  expect(expectation.totalBytes(110)).toBe(110)
  expectation.advance(5000, 121)
  expect(surveys).toHaveLength(1)
})

test('what an interrupted run knew serves until a survey knows better', () => {
  const { expectation } = make({ interrupted: { doneBytes: 63, totalBytes: 100 } })
  expect(expectation.totalBytes(0)).toBe(100)
  expect(expectation.continuedBytes).toBe(63)
  expect(make().expectation.continuedBytes).toBeUndefined()
})

test('what is left is told as long as no more is found than was expected', () => {
  const { expectation } = make({ lastBytes: 1000 })
  expect(expectation.leftBytes(200, 150)).toBe(850)
  expect(expectation.leftBytes(1000, 1000)).toBe(0)
  expect(expectation.leftBytes(1001, 900)).toBeUndefined()
  expect(expectation.leftBytes(900, 1001)).toBeUndefined()
})

test('nobody tells what is left of a first run until it is counted; from afar it is counted at once', () => {
  const { expectation, surveys } = make({ surveyAfterMs: 0 })
  expectation.advance(0, 0)
  expect(surveys).toHaveLength(1)
  expect(expectation.leftBytes(10, 0)).toBeUndefined()
  const [survey] = surveys
  if (!survey) throw new Error('no survey')
  survey.totals = { files: 3, bytes: 70, denseBytes: 0, otherBytes: 70, complete: false }
  expect(expectation.leftBytes(10, 0)).toBeUndefined()
  survey.totals = { files: 5, bytes: 100, denseBytes: 0, otherBytes: 100, complete: true }
  expect(expectation.leftBytes(40, 30)).toBe(70)
})
