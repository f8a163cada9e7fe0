"""Addresses of the course pages (the front page itself is named `home` in config.urls)."""

from django.urls import path

from course import beside, views
from course.style import style_page

app_name = "course"

urlpatterns = [
    path("lessons/<slug:slug>/", views.lesson, name="lesson"),
    path("lessons/<slug:slug>/blocks/<int:number>/", beside.block, name="block"),
    path("lessons/<slug:slug>/blocks/complete/", beside.complete, name="complete"),
    path("lessons/<slug:slug>/blocks/ready/", beside.ready, name="ready"),
    path("lessons/<slug:slug>/blocks/", beside.start_over, name="start_over"),
    path("search/", views.search_page, name="search"),
    path("exams/", views.exams, name="exams"),
    path("glossary/", views.glossary_page, name="glossary"),
    path("style/", style_page, name="style"),
    path("labs/<slug:slug>/", views.lab, name="lab"),
]
