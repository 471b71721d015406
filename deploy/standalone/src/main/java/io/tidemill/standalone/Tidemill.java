package io.tidemill.standalone;

import io.quarkus.runtime.annotations.QuarkusMain;
import io.tidemill.standalone.audit.AuditCommand;
import io.tidemill.standalone.audit.ExplainCommand;
import io.tidemill.standalone.audit.WhereCommand;
import io.tidemill.standalone.checkpoints.CheckpointsCommand;
import io.tidemill.standalone.checkpoints.RebuildCommand;
import io.tidemill.standalone.checkpoints.VerifyCommand;
import io.tidemill.standalone.control.PromoteCommand;
import io.tidemill.standalone.control.QuarantineCommand;
import io.tidemill.standalone.control.RollbackCommand;
import io.tidemill.standalone.control.RoundCommand;
import io.tidemill.standalone.demo.DemoCommand;
import io.tidemill.standalone.erase.EraseCommand;
import io.tidemill.standalone.models.DataCommand;
import io.tidemill.standalone.models.ImportCommand;
import io.tidemill.standalone.models.ProgramCommand;
import io.tidemill.standalone.models.PullCommand;
import io.tidemill.standalone.models.TrainCommand;
import io.tidemill.standalone.torture.TortureCommand;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ScopeType;

/** The command line. Exit status: 0 done, 1 could not be done and a sentence said why, 2 not understood. */
@QuarkusMain
@Command(
        name = "tidemill",
        description = {
            "Text and human feedback stream through Kafka; the model is ground finer with every round.",
            "Without options everything listens on this machine only and is kept in ./tidemill-data."
        },
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            UpCommand.class,
            DemoCommand.class,
            CheckpointsCommand.class,
            RebuildCommand.class,
            VerifyCommand.class,
            RollbackCommand.class,
            PromoteCommand.class,
            RoundCommand.class,
            QuarantineCommand.class,
            AuditCommand.class,
            ExplainCommand.class,
            WhereCommand.class,
            EraseCommand.class,
            PullCommand.class,
            ImportCommand.class,
            ProgramCommand.class,
            PretrainCommand.class,
            TrainCommand.class,
            DataCommand.class,
            TortureCommand.class,
            CommandLine.HelpCommand.class
        },
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Tidemill.Version.class,
        exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {
            "0:done",
            "1:could not be done; one sentence on the error output says why",
            "2:the command line was not understood",
            "130:ended by Ctrl-C"
        })
public final class Tidemill {
    private Tidemill() {}

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Tidemill())
                .setUsageHelpWidth(110)
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    if (failure instanceof CannotStartException expected) {
                        command.getErr().println("tidemill: " + expected.getMessage());
                    } else {
                        failure.printStackTrace(command.getErr());
                    }
                    return CommandLine.ExitCode.SOFTWARE;
                });
    }

    /** The version that the build wrote. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            Properties build = new Properties();
            try (InputStream resource = Tidemill.class.getResourceAsStream("build.properties")) {
                build.load(resource);
            }
            return new String[] {
                "Tidemill " + build.getProperty("version"),
                "Java " + System.getProperty("java.version") + " (" + System.getProperty("java.vendor") + ")"
            };
        }
    }
}
