const lists: Record<string, string> = {
  en: 'the and of to with from that this these those are were was which for by have has had been their they it is be not at as or but what when where how who will would can could should you your we our about into than then there in on an if no all any its he she his her may also such between only',
  de: 'der die das und ist nicht ein eine einen einem einer zu den dem des mit von für auf im sich auch als bei wird wurde werden sind war nach aus oder wir ich er sie es an dass über durch wie haben hat kann noch nur vor zur zum',
  fr: 'le la les des et est une un du de dans que qui pour pas sur avec par plus au aux ce cette ses son sa il elle ils nous vous sont été mais ou où être ont comme leur se ne',
  es: 'el la los las de del y que en un una por con para es no se su al lo como más pero sus este esta son fue ha muy sobre también entre cuando donde hay',
  pt: 'o a os as de do da dos das e que em um uma por com para é não se na no nas nos mais mas ao como foi são seu sua ou também pelo pela muito entre quando',
  it: 'il lo la gli le di del della dei delle e che in un una per con è non si al alla nel nella da dal sono come più ma anche questo questa suo sua ha essere tra',
  nl: 'de het een en van is in dat op te met voor niet zijn er aan ook als bij om maar door naar wordt werd heeft uit deze dit of was ze wij hij over kan nog',
  sv: 'och att det som en ett är av för på med den till inte om har de var jag han från men vi eller så när kan ska vid hade sig efter detta denna',
  da: 'og at det som en et er af for på med den til ikke om har de var jeg han fra men vi eller så når kan skal ved havde sig efter dette denne blev',
  no: 'og at det som en et er av for på med den til ikke om har de var jeg han fra men vi eller så når kan skal ved hadde seg etter dette denne ble',
  fi: 'ja on ei se että oli ovat mutta tai kun niin hän joka sekä myös ole kuin voi mukaan jos ollut tämä sen ne jotka vain',
  pl: 'i w z na do się nie jest to że o jak po za od przez dla są był była ale lub oraz przy co tym tego które który ich jego może',
  cs: 'a v na je se že z do s o to i pro jako by není jsou byl byla ale nebo při které který k od po za také jeho být podle',
  sk: 'a v na je sa že z do s o to i pre ako by nie sú bol bola ale alebo pri ktoré ktorý k od po za tiež jeho byť podľa',
  hu: 'a az és hogy nem is egy van volt meg de ha csak mint vagy már ez azt el kell még lehet után által ezt ki',
  ro: 'și de la în a cu pe că nu este un o din pentru mai care se sau au prin fost sunt dar lui al ale după fi',
  tr: 've bir bu da de için ile olarak olan daha çok gibi en ne ya kadar sonra değil ancak her var olduğu mi o ise',
  id: 'yang dan di dengan untuk dari pada ini itu dalam tidak adalah ke akan oleh juga atau ada sebagai telah dapat karena mereka kita bisa',
  vi: 'và của là có cho các trong được một không với những này khi đã người để ra như từ đến về cũng tại theo',
  et: 'ja on ei et see oli ka kui ning mis aga ta või oma nad seda ma kuid nii veel välja siis selle',
  ca: 'el la els les de del i que en un una per amb és no es al com més però seu seva són va dels també entre quan on',
};

/** For each word that has a grammatical use, the languages in which it has it. */
const languagesOf = new Map<string, string[]>();
for (const [language, words] of Object.entries(lists)) {
  for (const word of words.split(' ')) languagesOf.set(word, [...(languagesOf.get(word) ?? []), language]);
}

const minShare = 0.1;
const minKinds = 2;
const minWordsOfOthers = 6;

/** The language of a text in Latin letters whose small words make up the most of it, if it is clearly one. */
export function languageByFunctionWords(words: readonly string[]): string | null {
  const counts = new Map<string, { share: number; kinds: Set<string> }>();
  for (const word of words) {
    for (const language of languagesOf.get(word) ?? []) {
      const count = counts.get(language) ?? { share: 0, kinds: new Set() };
      count.share += 1 / words.length;
      count.kinds.add(word);
      counts.set(language, count);
    }
  }
  const [first, second] = [...counts].toSorted(([, a], [, b]) => b.share - a.share);
  if (!first || first[1].share < minShare || first[1].kinds.size < minKinds) return null;
  // Neighbours share many small words: a tie is no answer.
  if (second && second[1].share === first[1].share) return null;
  // English is what is assumed anyway; to depart from it takes more than a phrase.
  return first[0] === 'en' || words.length >= minWordsOfOthers ? first[0] : null;
}
