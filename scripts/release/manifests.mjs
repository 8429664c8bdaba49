// Writes the package.json of the npm packages: manifests.mjs SCOPE platform PLATFORM FOLDER, or manifests.mjs SCOPE main FOLDER.
// Without a scope (''), they are named gazpacho and @gazpacho/PLATFORM.
import * as fs from 'node:fs';
import * as path from 'node:path';

const main = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../../node-harness/gazpacho/package.json')));
const [scope, kind, ...args] = process.argv.slice(2);
const platformPackage = platform => (scope ? `${scope}/gazpacho-${platform}` : `@gazpacho/${platform}`);

function write(folder, manifest) {
	fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

const kinds = {
	platform(platform, folder) {
		const [os, cpu] = platform.split('-');
		const name = platformPackage(platform);
		write(folder, {
			name,
			version: main.version,
			description: `The binaries of gazpacho for ${platform}`,
			license: main.license,
			os: [os],
			cpu: [cpu],
			files: ['bin', 'LICENSE', 'NOTICE', 'THIRD-PARTY.txt'],
			preferUnplugged: true, // Yarn must not leave programs in an archive
			publishConfig: { access: 'public' },
		});
		fs.writeFileSync(path.join(folder, 'README.md'), `# ${name}\n\nThe binaries of \`${mainName()}\` for ${platform}. Install that package: it depends on this one.\n`);
	},

	main(folder) {
		const platforms = Object.keys(main.optionalDependencies).map(name => name.split('/')[1]);
		write(folder, {
			...main,
			name: mainName(),
			optionalDependencies: Object.fromEntries(platforms.map(platform => [platformPackage(platform), main.version])),
		});
	},
};

const mainName = () => (scope ? `${scope}/gazpacho` : 'gazpacho');

kinds[kind](...args);
