// As long as it is because each change is named, and has a reason of its own.
import type { Standing } from './row.ts'

const LOADED = 'It acts while the module is loaded, when no change is awake yet.'
const BOXED = 'Our name has no a, and what follows a z is no letter either way.'
const WHOLE = 'Letters that are our name to their end were found before.'
const COMPILER = 'It tells the compiler what the place that was found says already.'
const SECOND = 'The page answers a second press by what became of the first, whatever this is called.'
const ONE_ID = 'An app that registered itself goes on under its id, so that another id is another spender.'
const ALLOWED = 'What was decided here is an approval where it is told as allowed, and nowhere else.'
const UNDEFINED = 'A problem that is undefined is none.'
const SIGN = 'Of an order only the sign counts, and prices that are equal are in either.'

/** What stands in the zone consent. */
export const CONSENT: readonly Standing[] = [
  {
    file: 'consent/bounds.ts',
    change: "'problem' in limit && { own_limit: limit.problem }  =>  { own_limit: limit.problem }",
    why: UNDEFINED,
  },
  {
    file: 'consent/bounds.ts',
    change: "'problem' in countries && { countries: countries.problem }  =>  { countries: countries.problem }",
    why: UNDEFINED,
  },
  {
    file: 'consent/bounds.ts',
    change:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is changed
      "`${maxPerDayMicros}/${[...countries].sort().join(',')}` }  =>  `${maxPerDayMicros}/${[...countries].sort().join('')}` }",
    why: 'Each code has two letters, so that no other codes read alike.',
  },
  {
    file: 'consent/bounds.ts',
    change: "throw new Error('no time to choose')  =>  (nothing)",
    why: 'An hour, or the whole of a time that is shorter, is always among them; this tells the compiler.',
  },
  {
    file: 'consent/bounds.ts',
    change: "problem: read.problems.join(' ') }  =>  problem: read.problems.join('') }",
    why: 'One field has one problem.',
  },
  {
    file: 'consent/bounds.ts',
    change: 'read.rules.countries ?? []  =>  read.rules.countries',
    why: 'Countries that were read without a problem are there; this tells the compiler.',
  },
  {
    file: 'consent/connect.ts',
    change:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is changed
      "[...parts.sort(), `isPaused=${isPaused}`].join(' ') }  =>  [...parts.sort(), `isPaused=${isPaused}`].join('') }",
    why: 'It is compared with what it made before alone.',
  },
  {
    file: 'consent/connect.ts',
    change: 'await tx.oidcArtifact.deleteMany({ where: { grantId: earlier.grantId } })  =>  (nothing)',
    why: 'A code of before is of a grant that no connection has any more, and is refused for it.',
  },
  {
    file: 'consent/connect.ts',
    change: 'earlier && place.changes  =>  place.changes',
    why: 'What a connection begins with is written once more as it is.',
  },
  {
    file: 'consent/connect.ts',
    change:
      'spenderId === null || !(await setRules(tx, spenderId, limits))  =>  !(await setRules(tx, spenderId, limits))',
    why: 'The connection lives and is locked; this tells the compiler.',
  },
  {
    file: 'consent/connect.ts',
    change: "throw new Error('a live connection has no spender')  =>  (nothing)",
    why: 'The connection lives and is locked, so it has one.',
  },
  {
    file: 'consent/connect.ts',
    change: 'BY approved_at DESC LIMIT 1  =>  BY approved_at LIMIT 1',
    why: 'There is one at most: an app that registered itself goes on with what it has, and an id is of one row.',
  },
  {
    file: 'consent/page.ts',
    change: "signedIn, request, 'opened'), {})  =>  signedIn, request, ''), {})",
    why: 'It is asked for nothing but whether a form was sent.',
  },
  {
    file: 'consent/page.ts',
    change: "answer === 'allowed' && decision.kind === 'approved'  =>  answer === 'allowed'",
    why: ALLOWED,
  },
  {
    file: 'consent/page.ts',
    change: "answer === 'allowed' && decision.kind === 'approved'  =>  decision.kind === 'approved'",
    why: ALLOWED,
  },
  {
    file: 'consent/page.ts',
    change: 'error instanceof FormRefused && deps.forms.isOurs(request)  =>  deps.forms.isOurs(request)',
    why: 'The check of a form throws nothing else.',
  },
  {
    file: 'consent/page.ts',
    change: 'signedIn?.account.email ?? null  =>  signedIn?.account.email',
    why: 'The page asks whether there is one.',
  },
  {
    file: 'consent/scene.ts',
    change: 'untouched(asked, earlier, false).replaces :  =>  untouched(asked, earlier, true).replaces :',
    why: 'Who is warned of has less ticked, and replaces the same.',
  },
  {
    file: 'connections/imitation.ts',
    change: "new RegExp(scripts([name]), 'u')),  =>  new RegExp(scripts([name]), '')),",
    why: LOADED,
  },
  {
    file: 'connections/imitation.ts',
    change: "=> name.replaceAll('-', '')))  =>  => name.replaceAll('', '')))",
    why: LOADED,
  },
  {
    file: 'connections/imitation.ts',
    change: 'isOurs && program !== undefined  =>  isOurs',
    why: 'No program that adds a server has no name; this tells the compiler.',
  },
  {
    file: 'connections/our-name.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is changed
    change: "[...word].map((letter) => `[${letter}${FOREIGN}${VARIANT}]`).join('')  =>  undefined",
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: '...word  =>  []',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change:
      'OUR_NAME.slice(0, at) + OUR_NAME.charAt(at + 1) + OUR_NAME.charAt(at) + OUR_NAME.slice(at + 2)  =>  OUR_NAME.slice(0, at) + OUR_NAME.charAt(at + 1) + OUR_NAME.charAt(at) - OUR_NAME.slice(at + 2)',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change:
      'OUR_NAME.slice(0, at) + OUR_NAME.charAt(at + 1) + OUR_NAME.charAt(at)  =>  OUR_NAME.slice(0, at) + OUR_NAME.charAt(at + 1) - OUR_NAME.charAt(at)',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'OUR_NAME.slice(0, at) + OUR_NAME.charAt(at + 1)  =>  OUR_NAME.slice(0, at) - OUR_NAME.charAt(at + 1)',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: '=> OUR_NAME.slice(0, at)  =>  => OUR_NAME.slice(1, at)',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'at + 1  =>  at - 1',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'OUR_NAME.charAt(at + 1) +  =>  OUR_NAME.charAt(at + 2) +',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'at + 2  =>  at - 2',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'OUR_NAME.slice(at + 2), )  =>  OUR_NAME.slice(at + 3), )',
    why: LOADED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'sign.codePointAt(0) ?? 0  =>  sign.codePointAt(0)',
    why: 'A sign has a code; this tells the compiler.',
  },
  {
    file: 'connections/our-name.ts',
    change: 'sign.codePointAt(0) ?? 0  =>  sign.codePointAt(0) ?? 1',
    why: 'A sign has a code; this tells the compiler.',
  },
  {
    file: 'connections/our-name.ts',
    change: 'code >= one  =>  code > one',
    why: BOXED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'code < one + 26  =>  code <= one + 26',
    why: BOXED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'one + 26)  =>  one + 27)',
    why: BOXED,
  },
  {
    file: 'connections/our-name.ts',
    change: 'start < letters.length && letters[start] === OUR_NAME[start]  =>  letters[start] === OUR_NAME[start]',
    why: WHOLE,
  },
  {
    file: 'connections/our-name.ts',
    change: 'start < letters.length  =>  start <= letters.length',
    why: WHOLE,
  },
  {
    file: 'consent/cost.ts',
    change: 'one < other  =>  one <= other',
    why: SIGN,
  },
  {
    file: 'consent/cost.ts',
    change: '? -1 : 1))  =>  ? -2 : 1))',
    why: SIGN,
  },
  {
    file: 'consent/cost.ts',
    change: '-1 : 1))  =>  -1 : 2))',
    why: SIGN,
  },
  {
    file: 'consent/cost.ts',
    change: 'lowestMicros === undefined || highestMicros === undefined  =>  lowestMicros === undefined',
    why: 'Of no prices there is neither.',
  },
  {
    file: 'consent/cost.ts',
    change: 'lowestMicros === undefined || highestMicros === undefined  =>  highestMicros === undefined',
    why: 'Of no prices there is neither.',
  },
  {
    file: 'consent/decide.ts',
    change: '!stored || stored.consumedAt  =>  stored.consumedAt',
    why: 'The page has read that row a moment before; only a clean-up between the two would show it.',
  },
  {
    file: 'consent/decide.ts',
    change: "'answered_before'  =>  ''",
    why: SECOND,
  },
  {
    file: 'consent/decide.ts',
    change: "decision.kind === 'approved' && !place?.earlier  =>  !place?.earlier",
    why: 'A denial has no account, and none has no connections.',
  },
  {
    file: 'consent/decide.ts',
    change: "decision.kind === 'approved' && place?.limits  =>  place?.limits",
    why: COMPILER,
  },
  {
    file: 'consent/decide.ts',
    change: 'decision.accountId, remember: false }, consent:  =>  decision.accountId, remember: true }, consent:',
    why: 'The session of the library is not kept (decision 42).',
  },
  {
    file: 'consent/scene.ts',
    change: 'request.body ?? {}  =>  request.body',
    why: 'A form without a body has no token of ours, and was refused before.',
  },
  {
    file: 'consent/scene.ts',
    change: "0 ? 'reading' : 'all'  =>  0 ? '' : 'all'",
    why: 'The page knows one by its name, and takes anything else for the other.',
  },
  {
    file: 'consent/scene.ts',
    change: "textField(request, 'confirmed') || null  =>  textField(request, 'confirmed')",
    why: 'No widening reads as an empty text.',
  },
  {
    file: 'consent/connect.ts',
    change: '!client.shared || replaces !== undefined  =>  replaces !== undefined',
    why: ONE_ID,
  },
  {
    file: 'consent/connect.ts',
    change: '!client.shared && spenderIdOf(row) !== earlier?.spenderId  =>  !client.shared',
    why: ONE_ID,
  },
  {
    file: 'consent/connect.ts',
    change: 'earlier?.spenderId ?? null  =>  earlier?.spenderId',
    why: 'A column that is left out is null.',
  },
  {
    file: 'consent/connect.ts',
    change: 'row ?? null  =>  row',
    why: 'Whoever asks takes one for the other.',
  },
]
