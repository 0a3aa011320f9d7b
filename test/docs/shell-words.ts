/** The words of a line for the shell, as far as examples use it: quotes, pipes, redirections. */
export const simpleCommands = (line: string): string[][] => {
  const commands: string[][] = [[]];
  const tokens = line.matchAll(
    /((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s|&;<>#'"\\]|(?<=\S)#)+)|(\|\|?|&&|;)|([<>]+\s*\S+)|(#.*)/g,
  );
  for (const [, word, separator] of tokens) {
    if (separator !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(unquote(word));
  }
  return commands.filter((words) => words.length > 0);
};

const unquote = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
    (_, single, double, escaped) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped,
  );
