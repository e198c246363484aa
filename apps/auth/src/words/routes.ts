import { room } from './room.ts'

/** What a token may do, as short as a list needs it: a whole scope, and single routes. */
export const routes = room({
  en: {
    everything: 'Everything',
    scope: {
      'sms:send': 'Send SMS',
      'sms:rates': 'Read prices',
      'sender:write': 'Register senders',
      'hlr:lookup': 'Look numbers up',
      'numbers:read': 'Read network data',
    },
    route: {
      'POST /sms': 'Send SMS',
      'POST /sms/cost': 'Ask what an SMS costs',
      'GET /rates': 'Read prices',
      'POST /senderId': 'Register senders',
      'POST /senderId/confirm': 'Confirm senders',
      'POST /hlr': 'Look numbers up',
      'GET /hlr': 'Read results of lookups',
      'GET /operators': 'Read networks',
      'GET /mccmnc': 'Read network codes',
      'GET /prefixes': 'Read mobile prefixes',
      'POST /numbers/correct': 'Correct numbers',
    },
  },
  lt: {
    everything: 'Viskas',
    scope: {
      'sms:send': 'Siųsti SMS',
      'sms:rates': 'Skaityti kainas',
      'sender:write': 'Registruoti siuntėjus',
      'hlr:lookup': 'Tikrinti numerius (HLR)',
      'numbers:read': 'Skaityti tinklų duomenis',
    },
    route: {
      'POST /sms': 'Siųsti SMS',
      'POST /sms/cost': 'Sužinoti SMS kainą',
      'GET /rates': 'Skaityti kainas',
      'POST /senderId': 'Registruoti siuntėjus',
      'POST /senderId/confirm': 'Patvirtinti siuntėjus',
      'POST /hlr': 'Tikrinti numerius (HLR)',
      'GET /hlr': 'Skaityti patikrų rezultatus',
      'GET /operators': 'Skaityti tinklus',
      'GET /mccmnc': 'Skaityti tinklų kodus',
      'GET /prefixes': 'Skaityti mobiliojo ryšio kodus',
      'POST /numbers/correct': 'Taisyti numerius',
    },
  },
})
