import { room } from './room.ts'

/** `forgot-password`, and what answers it. */
export const forgotPassword = room({
  en: {
    title: 'Forgot your password?',
    lead: 'Tell us the address you sign in with. If it has an account, we will mail you a link to set a new password.',
    email: 'Email',
    submit: 'Mail me a link',
    wrongEmail: 'Enter a complete email address.',
    /** The same whether there is an account or not. */
    sentTitle: 'Check your mail',
    sent: (address: string, hours: string) =>
      `If ${address} has an account, a link is on its way to it. It works once, for ${hours}. An earlier link stops working.`,
    notArrived: 'Nothing there? Check the spam folder, and that this is the address you signed up with.',
    noMail: 'This service sends no mail. Whoever runs it can give you a link to set a new password.',
    askOperator: 'Ask the operator of this service:',
    orAsk: 'The operator of this service can give you a link as well:',
    noContact: 'Ask the person or the team that invited you.',
    back: 'Back to sign in',
  },
  lt: {
    title: 'Pamiršote slaptažodį?',
    lead: 'Nurodykite adresą, kuriuo prisijungiate. Jei jis turi paskyrą, išsiųsime nuorodą, su kuria nustatysite naują slaptažodį.',
    email: 'El. paštas',
    submit: 'Atsiųsti nuorodą',
    wrongEmail: 'Įveskite visą el. pašto adresą.',
    sentTitle: 'Patikrinkite el. paštą',
    sent: (address, hours) =>
      `Jei ${address} turi paskyrą, nuoroda ten jau siunčiama. Ji veikia vieną kartą, ${hours}. Ankstesnė nuoroda nustoja veikti.`,
    notArrived: 'Laiško nėra? Pažiūrėkite į šlamšto aplanką ir ar tai adresas, kuriuo registravotės.',
    noMail: 'Ši paslauga laiškų nesiunčia. Nuorodą, su kuria nustatysite naują slaptažodį, duoda jos operatorius.',
    askOperator: 'Kreipkitės į šios paslaugos operatorių:',
    orAsk: 'Nuorodą gali duoti ir šios paslaugos operatorius:',
    noContact: 'Kreipkitės į žmogų ar komandą, kurie jus pakvietė.',
    back: 'Grįžti prie prisijungimo',
  },
})
