import { one, room, vienas } from './room.ts'

/** `sandbox-phone`. */
export const phone = room({
  en: {
    title: 'Sandbox phone',
    lead: 'What your account sent in the sandbox, as it arrived on each number. Nothing goes out to a real phone, and texts are kept for seven days.',
    empty: 'Nothing has arrived yet. Send an SMS with a connected app or a token, then reload this page.',
    numbers: 'Numbers',
    allNumbers: 'All numbers',
    newestFirst: 'newest first',
    texts: (count: number, text: string) => `${text} ${one(count, 'text', 'texts')}`,
    reload: 'Reload',
    nothingHere: 'Nothing has arrived on this number in the last seven days.',
    to: (sender: string, recipient: string) => `${sender} to ${recipient}`,
    older: 'Older texts are not shown.',
  },
  lt: {
    title: 'Bandomasis telefonas',
    lead: 'Ką jūsų paskyra išsiuntė bandomojoje aplinkoje ir kaip tai gavo kiekvienas numeris. Į tikrus telefonus niekas neišeina, o žinutės saugomos septynias dienas.',
    empty: 'Dar nieko negauta. Išsiųskite SMS prijungta programa arba su API raktu ir įkelkite šį puslapį iš naujo.',
    numbers: 'Numeriai',
    allNumbers: 'Visi numeriai',
    newestFirst: 'naujausios viršuje',
    texts: (count, text) => `${text} ${vienas(count, 'žinutė', 'žinutės', 'žinučių')}`,
    reload: 'Įkelti iš naujo',
    nothingHere: 'Per pastarąsias septynias dienas šis numeris nieko negavo.',
    to: (sender, recipient) => `${sender} → ${recipient}`,
    older: 'Senesnės žinutės nerodomos.',
  },
})
