#!/usr/bin/env node
import { Command } from 'commander'
import { addAudit } from './cli/audit.ts'
import { addBacktest } from './cli/backtest.ts'
import { addCheck } from './cli/check.ts'
import { addDetect } from './cli/detect.ts'
import { addExplain } from './cli/explain.ts'
import { addIncidents } from './cli/incidents.ts'
import { addModels } from './cli/models.ts'
import { packageVersion } from './cli/package-root.ts'
import { addReplay } from './cli/replay.ts'
import { addServices } from './cli/services.ts'
import { addStart } from './cli/start.ts'
import { fail } from './cli/terminal.ts'
import { addToken } from './cli/token.ts'
import { addTrain } from './cli/train.ts'

/** The command-line program. Each command loads what it needs when it is called, so that `--help` is quick. */
const program = new Command('prescale')
  .description('Autoscaling that acts before the load arrives, and anomaly detection that says what is wrong and what to do about it.')
  .version(packageVersion())
  .showHelpAfterError('(prescale COMMAND --help shows what is possible)')
  .addHelpText('after', `
Examples:
  prescale start                                    watch something at once, without any configuration
  prescale start --config prescale.yaml             watch your services
  prescale check --config prescale.yaml             say everything that is wrong with a configuration
  prescale services                                 show what is watched and decided
  prescale explain demo-shop                        say why
  prescale incidents                                show what does not behave as usual
  prescale replay --trace load.csv --capacity 100 --out decisions.csv
                                                    see what would have been decided on your own history
  prescale backtest --trace load.csv --capacity 100 compare it there with HPA and others`)

for (const add of [addStart, addCheck, addServices, addModels, addIncidents, addExplain, addTrain, addReplay, addBacktest, addDetect, addToken, addAudit]) add(program)

program.parseAsync().catch(fail)
