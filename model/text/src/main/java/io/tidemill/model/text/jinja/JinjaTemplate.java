package io.tidemill.model.text.jinja;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/** A template, read and checked once, rendered as often as needed; safe for use by several threads. */
public final class JinjaTemplate {
    private static final int LONGEST_SOURCE = 1 << 20;

    private final Symbols.Body frame;
    private final Statement body;
    private final boolean generationMarks;

    private JinjaTemplate(Symbols.Body frame, Statement body, boolean generationMarks) {
        this.frame = frame;
        this.body = body;
        this.generationMarks = generationMarks;
    }

    /**
     * Reads a template.
     *
     * @throws JinjaException naming the statement, filter or test that is not supported, or what is wrong
     */
    public static JinjaTemplate parse(String source) {
        if (source.length() > LONGEST_SOURCE) {
            throw new JinjaException(
                    "a template may have " + LONGEST_SOURCE + " characters, but has " + source.length());
        }
        try {
            return read(source);
        } catch (StackOverflowError e) { // the parser counts depth; chains of operators inside each other can pass it
            throw new JinjaException("the template is nested too deeply");
        }
    }

    private static JinjaTemplate read(String source) {
        List<Node.Stmt> nodes = new Parser(Lexer.read(source)).template();
        Symbols symbols = Symbols.root();
        nodes.forEach(node -> node.declare(symbols));
        Symbols.Entry entry = symbols.entry();
        Statement linked = Statements.link(nodes, symbols);
        return new JinjaTemplate(
                symbols.body(),
                (root, output) -> {
                    entry.apply(root);
                    return linked.render(root, output);
                },
                nodes.stream().anyMatch(JinjaTemplate::marks));
    }

    private static boolean marks(Node node) {
        return node instanceof Statements.Generation || node.children().stream().anyMatch(JinjaTemplate::marks);
    }

    /** Whether <code>{% generation %}</code> stands anywhere in it. */
    public boolean hasGenerationMarks() {
        return generationMarks;
    }

    /** Renders by the system's clock and the usual limits. */
    public Rendering render(Map<String, ?> variables) {
        return render(variables, Clock.systemDefaultZone(), Limits.USUAL);
    }

    /**
     * Renders with variables of these kinds: String, Boolean, Long, Double, null, List and Map of them.
     *
     * @param clock  what {@code strftime_now} reads
     * @throws JinjaException if the template raises an exception, uses a value in a way it does not allow or that is
     *                        not supported, or goes beyond a limit
     */
    public Rendering render(Map<String, ?> variables, Clock clock, Limits limits) {
        Run run = new Run(variables, clock, limits);
        Output output = Output.of(run);
        try {
            body.render(new Frame(run, null, frame), output);
        } catch (StackOverflowError e) { // calls are counted; a list put into itself again and again is not
            throw new JinjaException("the template or one of its values is nested too deeply");
        }
        return new Rendering(output.text(), output.generated(), run.markedAside());
    }
}
