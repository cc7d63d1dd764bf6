"""The page of `harness view`, asked over HTTP: who may ask, what is told, that nothing but notes is written."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import harness
from harness.exports.export import Kept, write_export
from harness.run.folder import RunFolder
from harness.run.log import AppendLog
from harness.run.manifest import read_manifest
from harness.view.progress import Follower
from tests.run.bench import RuleModel
from tests.run.keeping import contents
from tests.view.conftest import EVIL, Visit, Visitor


async def test_only_this_machine_and_this_page_may_ask(visit: Visit, made: Path) -> None:
    async with visit(made / "results") as page:
        at, run_id = page.origin, await page.id_of("a")
        for path in (
            "/", "/wrong/", "/wrong/runs", f"/wrong/runs/{run_id}", f"/report/{run_id}/wrong/report.html",
            f"/report/{run_id}/{page.server.token}/report.html",
        ):  # fmt: skip
            assert await page.status("GET", at + path) == 404, path
        for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{page.port}"},
                        {"Origin": "http://evil.example"}, {"Origin": "null"}):  # fmt: skip
            assert await page.status("GET", page.address("runs"), headers=headers) == 403, headers
        url = page.address(f"runs/{run_id}/notes")
        body = {"text": "x", "tags": [], "seen": ""}
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            assert await page.status("POST", url, json=body, headers=headers) == 403, headers
        mine = {"Origin": at}
        assert await page.status("POST", url, data="{}", headers=mine) == 415
        large = {**mine, "Content-Type": "application/json"}
        assert await page.status("POST", url, data="x" * 200_000, headers=large) == 413
        async with page.session.get(page.address()) as reply:
            policy = reply.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert reply.headers["Cache-Control"] == "no-store"


async def test_nothing_but_notes_can_be_written_and_no_path_leads_out(
    visit: Visit, made: Path, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    shutil.copytree(made / "results", root)
    (tmp_path / "secret.html").write_text("secret")
    before = contents(root)
    async with visit(root) as page:
        run_id = await page.id_of("a")
        mine = {"Origin": page.origin}
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            for path in ("", "runs", f"runs/{run_id}", f"runs/{run_id}/samples", "compare"):
                status = await page.status(method, page.address(path), json={}, headers=mine)
                assert status in {404, 405}, (method, path)
        opened = (await page.get(f"runs/{run_id}"))["pages"]["report.html"].rpartition("/")[0]
        for name in ("..%2f..%2fsecret.html", "%2e%2e/secret.html", "manifest.json", "notes.json"):
            for url in (f"{page.origin}{opened}/{name}", page.address(f"runs/{run_id}/{name}")):
                assert await page.status("GET", url) == 404, url
        for bad in ("0" * 16, "a", "%2e%2e%2f"):
            assert await page.status("GET", page.address(f"runs/{bad}")) == 404
        await page.get(f"runs/{run_id}/samples", task="table/emotion", field="emotion")
    assert contents(root) == before


async def test_runs_are_listed_with_what_they_hold(visit: Visit, made: Path) -> None:
    async with visit(made / "results") as page:
        found = {one["path"]: one for one in (await page.get("runs"))["runs"]}
        assert set(found) == {"a", "deep/b"}
        assert (found["a"]["name"], found["a"]["state"], found["a"]["trials"]) == (
            "First look", "scored", 48,
        )  # fmt: skip
        got = await page.get(f"runs/{found['a']['id']}")
        assert [one["prompt"] for one in got["cells"]] == ["emotion/plain", "emotion/cot"]
        assert got["scores"][0]["metric"] == "UAR" and got["fault"] == "" and not got["stale"]
        async with page.session.get(page.origin + got["pages"]["report.html"]) as reply:
            assert await reply.read() == (made / "results/a/report.html").read_bytes()
            assert "sandbox allow-scripts;" in reply.headers["Content-Security-Policy"]
        other = await page.get(f"runs/{found['deep/b']['id']}")
        assert other["pages"] == {}


async def test_a_run_that_grows_is_followed(visit: Visit, made: Path, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(made / "results/a", root / "a")
    log = root / "a/trials.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:10]) + lines[10][:20])  # the last one is being written
    for name in ("scores.json", "records.parquet", "report.html"):
        (root / "a" / name).unlink()
    async with visit(root) as page:

        async def state() -> dict[str, Any]:
            found = (await page.get("runs"))["runs"][0]
            assert (found["state"], found["total"]) == ("not scored", 48)
            return {name: found[name] for name in ("done", "failed")}

        assert await state() == {"done": 10, "failed": 0}
        log.write_text("".join(lines[:30]))
        assert await state() == {"done": 30, "failed": 0}
        failed = {**json.loads(lines[40]), "failure": {"kind": "server", "detail": "x"}}
        with log.open("a") as file:
            file.write(json.dumps(failed) + "\n" + "no line of a run\n")
        assert await state() == {"done": 30, "failed": 1}
        with log.open("a") as file:
            file.write(lines[40] + lines[40])  # asked again, and finished
        assert await state() == {"done": 31, "failed": 0}
        got = await page.get(f"runs/{await page.id_of('a')}")
        now = (await page.get(f"runs/{got['run']['id']}/progress"))["run"]
        assert sum(one["done"] for one in now["cell_progress"].values()) == 31
        assert got["scores"] == [] and got["samples"] == {}


async def test_a_running_run_is_told_apart(visit: Visit, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "results/a", tmp_path / "a")
    async with visit(tmp_path) as page:
        with RunFolder(tmp_path / "a").locked():
            assert (await page.get("runs"))["runs"][0]["state"] == "running"
        assert (await page.get("runs"))["runs"][0]["state"] == "scored"


def of(found: Any) -> list[str]:
    return [one["sample"] for one in found["samples"]]


async def samples(page: Visitor, run_id: str, **query: str) -> Any:
    return await page.get(
        f"runs/{run_id}/samples", **{"task": "table/emotion", "field": "emotion", **query}
    )


async def test_samples_are_paged_and_filtered(visit: Visit, made: Path) -> None:
    async with visit(made / "results") as page:
        a = await page.id_of("a")
        first = await samples(page, a, count="10")
        assert (first["total"], len(first["samples"])) == (24, 10)
        assert [one["prompt"] for one in first["cells"]] == ["emotion/plain", "emotion/cot"]
        rest = await samples(page, a, start="10", count="20")
        assert len(set(of(first) + of(rest))) == 24
        assert first["labels"] == ['"anger"', '"happiness"']
        assert first["labels_told"] == ["anger", "happiness"]
        happy = await samples(page, a, label='"happiness"', count="50")
        assert happy["total"] == 12 and {one["target"] for one in happy["samples"]} == {"happiness"}
        wrong = await samples(page, a, show="wrong", count="50")
        assert all(
            any(x["standing"] == "wrong" for x in one["answers"]) for one in wrong["samples"]
        )
        assert 0 < wrong["total"] <= 24
        whole = await samples(page, a, count="50", order="disagreement")
        differ = [
            len({(x["outcome"], x["value"]) for x in one["answers"]}) for one in whole["samples"]
        ]
        assert differ == sorted(differ, reverse=True)
        apart = await samples(page, a, show="disagree", count="50")
        assert apart["total"] == sum(n > 1 for n in differ)
        found = await samples(page, a, words="P7.PNG")
        assert of(found) == ["p7.png"]
        evil = await samples(page, a, words="ONERROR", count="50")
        assert evil["total"] and all(
            any("onerror" in x["text"] for x in one["answers"]) for one in evil["samples"]
        )
        assert all("\u202e" not in json.dumps(one, ensure_ascii=False) for one in evil["samples"])
        name = first["samples"][0]["answers"][0]["conversation"]
        turns = (await page.get(f"runs/{a}/conversations/{name}"))["turns"]
        assert turns[-1][0] == "user" and "[image 1]" in turns[-1][1]
        for bad in ({"count": "9999"}, {"start": "-1"}, {"show": "x"}, {"field": "no"}, {"a": "x"}):
            query = {"task": "table/emotion", "field": "emotion", **bad}
            url = page.address(f"runs/{a}/samples")
            assert await page.status("GET", url, params=query) == 422, bad


async def test_two_runs_or_cells_are_compared(visit: Visit, inside: Path) -> None:
    async with visit(inside) as page:
        a, b = await page.id_of("a"), await page.id_of("deep/b")

        async def compared(**query: str) -> Any:
            while True:
                got = await page.get("compare", **query)
                if "pairs" not in got:
                    return got
                await asyncio.sleep(0.02)

        cells = (await page.get(f"runs/{a}"))["cells"]
        halves = [f"{a}:{one['id']}:{one['prompt']}" for one in cells]
        got = await compared(a=halves[0], b=halves[1])
        assert "prompt; 24 samples" in " ".join(got["blocks"][0]["lines"])
        assert got["blocks"][0]["header"][0] == "metric"
        assert await compared(a=halves[0], b=halves[1]) == got
        other = (await page.get(f"runs/{b}"))["cells"][0]
        models = await compared(a=halves[0], b=f"{b}:{other['id']}:{other['prompt']}")
        said = " ".join(line for one in models["blocks"] for line in one["lines"])
        assert "deep/b" in said
        whole = await compared(a=a, b=b, unlike="yes")
        assert whole["blocks"][0]["heading"].endswith("ranking by uar")
        gone = await compared(a=f"{a}:0000000000:x", b=b)
        assert "no such cell" in gone["error"]
        assert await page.status("GET", page.address("compare?a=x&b=y")) == 404


async def test_notes_are_kept_beside_the_run(visit: Visit, made: Path, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(made / "results", root)
    async with visit(root) as page:
        a = await page.id_of("a")
        status, said = await page.save(
            a, text="looks\nodd " + EVIL, tags=[" pilot ", "pilot", "x"], seen=""
        )
        assert status == 200 and said["tags"] == ["pilot", "x"]
        kept = json.loads((root / "a/notes.json").read_text())
        assert (kept["text"], kept["tags"]) == ("looks\nodd " + EVIL, ["pilot", "x"])
        row = next(r for r in (await page.get("runs"))["runs"] if r["path"] == "a")
        assert row["tags"] == ["pilot", "x"] and row["notes"].startswith("looks")
        status, stale = await page.save(a, text="other", tags=[], seen="")
        assert status == 409 and "changed since" in stale["error"]
        for bad in ({"text": 3, "tags": []}, {"text": "x" * 20_001, "tags": []}, {"tags": [""], "text": ""},
                    {"text": "", "tags": ["x"] * 3, "other": 1}, {"text": "", "tags": "x"}):  # fmt: skip
            status, _ = await page.save(a, seen=said["seen"], **bad)
            assert status == 422, bad
        status, empty = await page.save(a, text=" ", tags=[], seen=said["seen"])
        assert (status, empty["seen"]) == (200, "") and not (root / "a/notes.json").exists()
        (root / "a/notes.json").write_text("{")
        assert "notes_fault" in (await page.get(f"runs/{a}"))["run"]


async def test_own_pictures_are_shown_only_where_they_were_asked_for(
    visit: Visit, inside: Path
) -> None:
    async with visit(inside) as page:
        a = await page.id_of("a")
        assert all(one["pictures"] == [] for one in (await samples(page, a))["samples"])
        assert await page.status("GET", page.address(f"runs/{a}/pictures/0/0/0")) == 403
    async with visit(inside, side=32) as page:
        shown = (await samples(page, a, words="p7.png"))["samples"][0]["pictures"]
        async with page.session.get(page.address(f"runs/{a}/{shown[0][1]}")) as reply:
            assert reply.content_type == "image/jpeg"
            picture = Image.open(io.BytesIO(await reply.read()))
        own = Image.open("p7.png").convert("RGB").getpixel((5, 5))
        found = picture.getpixel((5, 5))
        assert isinstance(own, tuple) and isinstance(found, tuple)
        assert max(abs(x - y) for x, y in zip(own, found, strict=True)) < 4
        for bad in ("0/99/0", "0/0/5", "7/0/0"):
            assert await page.status("GET", page.address(f"runs/{a}/pictures/{bad}")) == 404


async def test_a_broken_run_is_told(visit: Visit, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "results/a", tmp_path / "a")
    (tmp_path / "a/records.parquet").write_bytes(b"PAR1 no")
    shutil.copytree(made / "results/a", tmp_path / "c")
    (tmp_path / "c/manifest.json").write_text("{")
    async with visit(tmp_path) as page:
        found = {one["path"]: one for one in (await page.get("runs"))["runs"]}
        assert found["c"]["state"] == "broken"
        assert (await page.get(f"runs/{found['c']['id']}"))["run"]["fault"]
        url = page.address(f"runs/{found['a']['id']}/samples")
        async with page.session.get(url, params={"task": "table/emotion", "field": "emotion"}) as r:
            assert r.status == 422 and "records.parquet" in (await r.json())["error"]


async def test_an_export_has_scores_and_comparisons_but_no_notes(
    visit: Visit, inside: Path, tmp_path: Path
) -> None:
    write_export(RunFolder(inside / "a"), tmp_path / "out", secret=None, kept=Kept())
    before = contents(tmp_path)
    async with visit(tmp_path) as page:
        out = await page.id_of("out")
        got = await page.get(f"runs/{out}")
        assert got["exported"] and got["scores"] and got["samples"] == {} and not got["stale"]
        status, said = await page.save(out, text="x", tags=[], seen="")
        assert status == 409 and "export" in said["error"]
        a, b = [f"{out}:{one['id']}:{one['prompt']}" for one in got["cells"]]
        found: dict[str, Any] = {}
        while "blocks" not in found:
            found = await page.get("compare", a=a, b=b)
            assert "error" not in found, found
            await asyncio.sleep(0.02)
    assert contents(tmp_path) == before


async def test_drawn_faces_are_always_shown(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    harness.evaluate(
        "faces/emotion", model=RuleModel(), limit=3, out="runs/drawn", progress=False, report=False
    )
    async with visit(tmp_path / "runs") as page:
        drawn = await page.id_of("drawn")
        found = await page.get(f"runs/{drawn}/samples", task="faces/emotion", field="emotion")
        assert (
            all(one["pictures"][0][1].startswith("data:image/webp") for one in found["samples"])
            and len(found["samples"]) == 3
        )


async def test_a_log_put_in_place_of_another_is_read_anew(tmp_path: Path, made: Path) -> None:
    shutil.copytree(made / "results/a", tmp_path / "a")
    folder = RunFolder(tmp_path / "a")
    manifest, follower = read_manifest(folder), Follower(folder)
    follower.update(manifest, now=0.0)
    assert sum(follower.done.values()) == 48 and follower.rate == 0.0
    lines = folder.trials.read_text().splitlines()
    folder.trials.unlink()
    log = AppendLog(folder.trials)
    for line in lines[:6]:
        log.append(json.loads(line))
    follower.update(manifest, now=5.0)
    assert sum(follower.done.values()) == 6
    for line in lines[6:16]:
        log.append(json.loads(line))
    log.close()
    follower.update(manifest, now=10.0)
    assert (sum(follower.done.values()), follower.rate) == (16, 2.0)
