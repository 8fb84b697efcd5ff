"""`liuzhuan serve` and `liuzhuan migrate`."""

from __future__ import annotations

import os
import signal
from types import FrameType

import click

from engine.settings import Settings
from webui.cli.output import answer


@click.command()
@click.option("--demo", is_flag=True, help="Deploy processes/ and forms/ and make demo accounts.")
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", envvar="PORT", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Threads that answer requests.")
def serve(demo: bool, host: str, port: int, threads: int) -> None:
    """Run the web inbox and the timers in this process until it is told to stop."""
    import waitress

    from webui.app import create_app
    from webui.demo import prepare
    from webui.wiring import open_engine

    settings = Settings.read()
    with open_engine(settings) as engine:
        shown = prepare(engine, settings) if demo else None
        app = create_app(engine, settings)
        server = waitress.create_server(
            app,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            channel_request_lookahead=1,  # so that a request that waits learns that its client has gone
            clear_untrusted_proxy_headers=not settings.trusted_proxies,  # the application believes as many hops as are set
        )
        _stop_on(signal.SIGTERM)
        with engine.driver():
            address = f"http://{_for_url(host)}:{server.effective_port}/"
            click.echo(f"Liuzhuan 流转 → {address}")
            if shown:
                click.echo(shown)
                click.echo(f"API (Camunda Modeler, SDKs) 接口：{address}v2, HTTP Basic, admin")
            server.run()  # until Ctrl-C or SIGTERM, which waitress takes as the end
            click.echo("stopping …")
            server.close()


def migrate_tables(as_json: bool) -> None:
    """Bring the database to this version's tables."""
    from engine.facade import migrate as migrate_database
    from webui.wiring import prepare_data_directory

    settings = Settings.read()
    prepare_data_directory(settings)
    revision = migrate_database(settings.database_url)
    answer({"revision": revision}, f"the database is at {revision}", as_json)


def _for_url(host: str) -> str:
    return f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound


def _stop_on(number: int) -> None:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if os.name == "posix":
        signal.signal(number, stop)
