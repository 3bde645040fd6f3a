"""The remote engine against real servers: faults told in one line, or waited out."""

import json
import threading
import time

import pytest

import faulty
import tiny
from crossfoot.agent.loop import Setting, run_batch
from crossfoot.chat.calls import ToolCall
from crossfoot.chat.messages import assistant, call, system, tool_result, user
from crossfoot.chat.tools import TOOLS
from crossfoot.engines import endpoint
from crossfoot.engines.endpoint import MAX_BODY_BYTES, Endpoint
from crossfoot.engines.remote import RemoteEngine, same_model, wire
from crossfoot.errors import CrossfootError, ModelError, RecipeError
from scripted import called, submitted

ASKED = [system("a page"), user("how much?")]
SUBMIT = ("submit_answer", '{"value": "5829", "unit": "absolute"}')
KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Pauses of milliseconds, and no key of the machine's user."""
    monkeypatch.setattr(endpoint, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(endpoint, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 60.0)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("CROSSFOOT_API_KEY", raising=False)


def ask(server, batch=(ASKED,), model=faulty.MODEL, **options):
    engine = RemoteEngine(Endpoint(server.address), model, **options)
    return engine.generate(batch, 80)


def refused(*answers, **options):
    """The one line that a server's answers end in."""
    with faulty.serving(*answers) as server, pytest.raises(CrossfootError) as caught:
        ask(server, **options)
    told = str(caught.value)
    assert "\n" not in told
    assert len(told) < 600
    return told


def test_native_calls_are_read():
    with faulty.serving(faulty.message(None, [("calculate", '{"expression": "1 + 2"}')])) as server:
        (generation,) = ask(server)
    assert generation.reply.calls == (ToolCall("calculate", {"expression": "1 + 2"}),)
    assert not generation.reply.malformed
    assert (generation.prompt_tokens, generation.completion_tokens) == (11, 7)
    assert generation.finished


@pytest.mark.parametrize(
    "text",
    [
        called("calculate", expression="1 + 2"),
        "<tool_call>\n<function=calculate>\n<parameter=expression>\n1 + 2\n</parameter>\n"
        "</function>\n</tool_call>",
    ],
)
def test_calls_in_the_text_are_read_in_either_syntax(text):
    with faulty.serving(faulty.message(text)) as server:
        (generation,) = ask(server)
    assert generation.reply.calls == (ToolCall("calculate", {"expression": "1 + 2"}),)
    assert generation.text == text


@pytest.mark.parametrize("content", [None, "", "It was a good year."])
def test_a_reply_with_neither_is_a_reply_without_a_call(content):
    with faulty.serving(faulty.message(content)) as server:
        (generation,) = ask(server)
    assert generation.reply.calls == ()
    assert not generation.reply.malformed
    assert generation.text == (content or "")


@pytest.mark.parametrize(
    "arguments", ["{", "7", '"text"', '{"a": NaN}', "[" * 5000, "1" * 5000, '{"a": "\\ud800"}']
)
def test_a_native_call_that_cannot_be_read_is_malformed(arguments):
    with faulty.serving(faulty.message("so:", [("calculate", arguments)])) as server:
        (generation,) = ask(server)
    assert generation.reply.calls == ()
    assert generation.reply.malformed
    assert generation.text.startswith("so:\n<tool_call>")


def test_a_reply_that_was_cut_off_says_so():
    with faulty.serving(faulty.body(faulty.completion("and", finish="length"))) as server:
        (generation,) = ask(server)
    assert not generation.finished


def test_what_is_sent_is_greedy_bounded_and_in_the_form_of_the_api():
    with faulty.serving(faulty.message("so")) as server:
        ask(server)
    (sent,) = server.seen
    assert sent.pop("path") == "/v1/chat/completions"
    assert sent == {
        "model": faulty.MODEL,
        "messages": ASKED,
        "tools": TOOLS,
        "temperature": 0,
        "max_tokens": 80,
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_results_name_the_call_that_they_answer():
    one, two = call("calculate", expression="1 + 2"), call("calculate", expression="3 * 4")
    both = one | {"tool_calls": [*one["tool_calls"], *two["tool_calls"]]}
    messages = [
        *ASKED,
        both,
        tool_result("calculate", "3"),
        tool_result("calculate", "12"),
        call("submit_answer", value="3", unit="count"),
        user("and now?"),
        call("calculate", expression="1"),
        tool_result("calculate", "1"),
        assistant("so"),
    ]
    before = json.dumps(messages)
    sent = wire(messages)
    ids = [one["id"] for message in sent for one in message.get("tool_calls", [])]
    assert ids == ["call00000", "call00001", "call00002", "call00003"]
    assert [m["tool_call_id"] for m in sent if m["role"] == "tool"] == [ids[0], ids[1], ids[3]]
    function = sent[2]["tool_calls"][0]["function"]
    assert json.loads(function["arguments"]) == {"expression": "1 + 2"}
    assert json.dumps(messages) == before


def test_tools_in_the_text_leave_the_field_for_tools_out():
    with faulty.serving(faulty.message("so")) as server:
        ask(server, tools_in_text=True)
    (sent,) = server.seen
    assert "tools" not in sent
    assert "calculate" in sent["messages"][0]["content"]


def test_without_tools_none_are_offered_in_the_text_either():
    with faulty.serving(faulty.message("so")) as server:
        ask(server, tools=False, tools_in_text=True)
    (sent,) = server.seen
    assert "tools" not in sent
    assert sent["messages"] == wire(ASKED)


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:1080", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    assert "the proxy in the environment cannot be used" in refused(faulty.message("so"))


def test_replies_come_in_the_order_of_the_batch_and_requests_are_bounded():
    under_way, most = [], []

    def echo(handler, request):
        under_way.append(request)
        most.append(len(under_way))
        time.sleep(0.02)
        under_way.pop()
        faulty.message(request["messages"][-1]["content"])(handler, request)

    batch = [[system("a page"), user(f"question {n}")] for n in range(12)]
    with faulty.serving(echo) as server:
        replies = ask(server, batch, concurrency=3)
    assert [reply.text for reply in replies] == [f"question {n}" for n in range(12)]
    assert 1 < max(most) <= 3
    assert len({reply.seconds for reply in replies}) == 1


@pytest.mark.parametrize(
    "fault",
    [
        faulty.body({"error": {"message": "slow down"}}, 429),
        faulty.body({}, 429, Retry_After="3600"),
        faulty.body({}, 429, Retry_After="Wed, 21 Oct 2035 07:28:00 GMT"),
        faulty.body({}, 429, Retry_After="soon"),
        faulty.body({}, 429, Retry_After="nan"),
        faulty.raw(b"<html>Bad Gateway</html>", 502),
        faulty.body({"detail": "loading"}, 503),
        faulty.raw(b'{"model": "tuned", "choi', missing=1000),
        faulty.hang_up,
    ],
    ids=["429", "seconds", "date", "words", "nan", "502", "503", "cut", "hang-up"],
)
def test_what_may_pass_is_tried_again(fault):
    answered = faulty.message("one", [SUBMIT])
    with faulty.serving(answered, fault, fault, answered) as server:
        engine = RemoteEngine(Endpoint(server.address), faulty.MODEL)
        engine.generate([ASKED], 80)
        (generation,) = engine.generate([ASKED], 80)
    assert generation.reply.calls[0].name == "submit_answer"
    assert len(server.seen) == 4


def test_a_pause_that_the_server_asks_for_is_kept(monkeypatch):
    monkeypatch.setattr(endpoint, "LONGEST_PAUSE", 0.3)
    with faulty.serving(faulty.body({}, 429, Retry_After="0.25"), faulty.message("so")) as server:
        started = time.monotonic()
        ask(server)
    assert time.monotonic() - started >= 0.25


def test_a_server_that_does_not_answer_in_time_is_asked_again(monkeypatch):
    late = threading.Event()

    def hang(handler, request):
        late.wait(5)

    with faulty.serving(faulty.message("one"), hang, faulty.message("two")) as server:
        engine = RemoteEngine(Endpoint(server.address), faulty.MODEL)
        engine.generate([ASKED], 80)
        monkeypatch.setattr(endpoint, "REQUEST_SECONDS", 0.2)
        (generation,) = engine.generate([ASKED], 80)
        late.set()
    assert generation.text == "two"


def test_a_body_that_trickles_is_bounded_in_time(monkeypatch):
    monkeypatch.setattr(endpoint, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 0.1)

    def trickle(handler, request):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(40):
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    assert "no answer within" in refused(trickle)


def test_a_short_restart_is_waited_out():
    first = faulty.Server(faulty.message("one"))
    engine = RemoteEngine(Endpoint(first.address), faulty.MODEL)
    assert engine.generate([ASKED], 80)[0].text == "one"
    first.stop()
    second = []

    def restart():
        second.append(faulty.Server(faulty.message("two"), port=first.port))

    timer = threading.Timer(0.5, restart)
    timer.start()
    try:
        assert engine.generate([ASKED, ASKED], 80)[1].text == "two"
    finally:
        timer.join()
        second[0].stop()


def test_a_long_absence_ends_in_one_line(monkeypatch):
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 0.3)
    with faulty.serving(faulty.message("one")) as server:
        engine = RemoteEngine(Endpoint(server.address), faulty.MODEL)
        engine.generate([ASKED], 80)
    with pytest.raises(ModelError, match="run the same command again") as caught:
        engine.generate([ASKED, ASKED], 80)
    assert server.address in str(caught.value)


def test_a_server_that_was_never_there_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 600.0)
    port = faulty.unused_port()
    engine = RemoteEngine(Endpoint(f"http://127.0.0.1:{port}/v1"), faulty.MODEL)
    with pytest.raises(ModelError, match="is the server running"):
        engine.generate([ASKED], 80)


@pytest.mark.parametrize(
    ("status", "document", "told"),
    [
        (404, {"error": {"message": "The model `tuned` does not exist."}}, "does not exist"),
        (404, {"detail": "Not Found"}, "does --endpoint end"),
        (400, {"object": "error", "message": "too many tokens"}, "too many tokens"),
        (401, {"error": "who are you?"}, "CROSSFOOT_API_KEY"),
        (422, {"detail": [{"loc": ["body"], "msg": "Field required"}]}, "Field required"),
        (302, {}, "answered 302"),
    ],
)
def test_what_will_not_pass_is_told_at_once(status, document, told):
    with faulty.serving(faulty.body(document, status)) as server, pytest.raises(ModelError) as e:
        ask(server)
    assert told in str(e.value)
    assert str(status) in str(e.value)
    assert len(server.seen) == 1


def test_a_page_of_html_is_no_answer():
    assert "does not answer as an OpenAI-compatible server" in refused(
        faulty.raw(b"<!DOCTYPE html><html><body>Welcome!</body></html>")
    )


@pytest.mark.parametrize(
    "content",
    [
        b'{"model": "tuned", "choices": [{"mess',
        b"",
        b"null",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"tool_calls": [{}]}}]}',
        b'{"choices": [{"message": {}}], "usage": {"prompt_tokens": -1}}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"\x1f\x8b\x08\x00 gzip",
    ],
)
def test_an_answer_of_another_form_is_told(content):
    assert "does not answer as an OpenAI-compatible server" in refused(faulty.raw(content))


def test_a_huge_answer_is_cut_short():
    assert "more than 1,000,000 bytes" in refused(faulty.raw(b" " * (MAX_BODY_BYTES + 1)))


def test_an_answer_without_end_is_cut_short():
    def flood(handler, request):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1000):
            try:
                handler.wfile.write(b"x" * 65536)
            except OSError:
                return

    assert "more than 1,000,000 bytes" in refused(flood)


def test_an_error_page_is_shown_cut_and_without_control_characters():
    told = refused(faulty.raw(b"\x1b[31mno\r\n" + b"<p>" * 5000, 400))
    assert "\x1b" not in told
    assert "answered 400: [31mno <p>" in told


def test_another_models_name_is_refused():
    told = refused(faulty.body(faulty.completion("so", model="base")))
    assert "answers as 'base'" in told
    assert "'tuned'" in told


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("m", "m", True),
        ("/models/m", "/models/m@main", True),
        ("llama3", "llama3:8b", True),
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("m.1", "mx1", False),
        ("m", "", False),
    ],
)
def test_a_name_may_carry_a_revision_tag_or_date(asked, answered, same):
    assert same_model(asked, answered) is same


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "CROSSFOOT_API_KEY"])
def test_the_key_comes_from_the_environment_and_is_never_shown(monkeypatch, caplog, variable):
    monkeypatch.setenv(variable, KEY)
    caplog.set_level("DEBUG")
    told = refused(faulty.body({"error": f"bad key {KEY}"}, 401))
    assert "bad key ***" in told
    with faulty.serving(faulty.message("so")) as server:
        ask(server)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in caplog.text


def test_without_a_key_none_is_sent():
    with faulty.serving(faulty.message("so")) as server:
        ask(server)
    assert "authorization" not in server.headers[0]


def test_a_key_with_a_line_break_is_refused_unseen(monkeypatch):
    monkeypatch.setenv("CROSSFOOT_API_KEY", f"{KEY}\n")
    with pytest.raises(RecipeError) as caught:
        Endpoint("http://localhost/v1")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "",
        "ftp://localhost/v1",
        "http://",
        "http://me:secret@localhost/v1",
        "http://localhost/v1?key=secret",
        "http://localhost:port/v1",
        "http://localhost:99999/v1",
        "http://xn--/v1",
        "http://[::1/v1",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(RecipeError, match="--endpoint") as caught:
        Endpoint(address)
    assert "secret" not in str(caught.value)


def test_conversations_run_through_a_server():
    def answer(handler, request):
        if request["messages"][-1]["role"] == "tool":
            value = request["messages"][-1]["content"]
            faulty.message(submitted(value))(handler, request)
        else:
            faulty.message(None, [("calculate", '{"expression": "5829 - 5735"}')])(handler, request)

    with faulty.serving(answer) as server:
        engine = RemoteEngine(Endpoint(server.address), faulty.MODEL)
        transcripts = run_batch([tiny.sample("a"), tiny.sample("b")], engine, Setting())
    assert [[turn.submission.answer.value for turn in one] for one in transcripts] == [
        [94.0] * 4
    ] * 2
    assert transcripts[0][0].submission.expressions == ("5829 - 5735",)
