import { chromium } from 'playwright-core';
const base = process.argv[2];
const out = '/tmp/shots'; import * as fs from 'node:fs'; fs.mkdirSync(out,{recursive:true});
const b = await chromium.launch({executablePath:'/usr/bin/chromium', chromiumSandbox:false, args:['--disable-gpu']});
for (const item of process.argv.slice(3)) {
  const [name, hash, scheme='light', w='1280', h='900', full] = item.split('|');
  const p = await b.newPage({viewport:{width:+w,height:+h}, colorScheme: scheme});
  p.on('console', m=>console.log(name, m.type(), m.text())); p.on('pageerror', e=>console.log(name,'ERR',e));
  await p.goto(base+hash); await p.waitForSelector('h1',{timeout:8000}).catch(e=>console.log('no h1')); await p.waitForTimeout(1500);
  await p.screenshot({path:`${out}/${name}.png`, fullPage: !!full});
  await p.close();
}
await b.close();
